// Answers that are still good.
#pragma once

#include "libnet/dns_outcome.h"

#include <list>
#include <unordered_map>

namespace net::dns {

constexpr std::uint32_t max_cached_ttl = 24 * 3600;      // seconds; an answer may say more
constexpr std::uint32_t max_negative_ttl = 3 * 3600;     // RFC 2308 §5: one to three hours

// Bounded by the bytes that answers take, estimated; who was asked for longest ago goes first.  Failures are not
// kept: who asks again wants to know.
class Cache {
public:
    explicit Cache(std::size_t bytes) : limit_(bytes) {}

    // The outcome with the TTL that it has left, and each of its records; nothing if there is none, or it is too old.
    std::optional<Outcome> find(const Question& question, util::Instant now);
    // Keeps what was found, or was found not to be there, for its TTL.
    void keep(const Question& question, const Outcome& outcome, util::Instant now);
    void clear();

    std::size_t size() const { return entries_.size(); }
    std::size_t bytes() const { return bytes_; }

private:
    struct Entry {
        std::string key;
        Outcome outcome;
        util::Instant expires;
        std::size_t bytes = 0;
    };
    using Entries = std::list<Entry>;
    void remove(Entries::iterator entry);

    std::size_t limit_;
    std::size_t bytes_ = 0;
    Entries entries_;  // the one that was asked for last is first
    std::unordered_map<std::string_view, Entries::iterator> index_;  // by Entry::key
};

// What an outcome is kept for at most, in seconds; 0: not at all.
std::uint32_t time_to_keep(const Outcome& outcome);

}  // namespace net::dns
