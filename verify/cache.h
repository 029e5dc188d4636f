// Cache: what is known of addresses, and since when.  It knows neither clocks nor files.
//
// A result is used until it expires; from a certain age on it is used and asked for again.  A probe that
// failed does not replace a good result before that has expired, as in Postfix.
#pragma once

#include "libipc/verification.h"

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace verify {

// While a probe may still come back, no other is sent for the same address, in seconds.
constexpr std::int64_t probe_lifetime = 1000;

// In seconds.
struct Times {
    std::int64_t positive_expire = 0, positive_refresh = 0;
    std::int64_t negative_expire = 0, negative_refresh = 0;
    bool negative_cache = true;
    std::size_t limit = 1;   // addresses
};

struct Entry {
    ipc::Verification result = ipc::Verification::Deferred;   // never Unknown
    std::int64_t updated = 0;   // seconds since 1970
    std::int64_t probed = 0;    // when the last probe left that has not brought a result; 0: none
    std::string text;
};

// "0:1764400000:0:2.0.0 delivers to mailbox": result (Postfix's number: 0 deliverable, 1 deferred,
// 2 undeliverable), probed, updated, text.
std::string to_text(const Entry& entry);
std::optional<Entry> parse_entry(std::string_view text);

class Cache {
public:
    explicit Cache(const Times& times) : times_(times) {}
    void change(const Times& times);

    struct Look {
        ipc::VerifyAnswer answer;
        bool probe = false;      // ask again, or for the first time
    };
    Look look(std::string_view address, std::int64_t now);
    // A probe for it leaves.
    void probing(std::string_view address, std::int64_t now);
    // Its result; false: it changes nothing.
    bool learn(std::string_view address, ipc::Verification result, std::string_view text, std::int64_t now);

    // Takes an entry as it was kept.
    void add(std::string_view address, Entry entry);
    // Those that have expired go; how many.
    std::size_t expire(std::int64_t now);
    // All, the one that was not used the longest first.
    void each(const std::function<void(const std::string& address, const Entry& entry)>& take) const;
    std::size_t size() const { return items_.size(); }

private:
    using Items = std::list<std::pair<std::string, Entry>>;   // the last used one first

    bool expired(const Entry& entry, std::int64_t now) const;
    bool old(const Entry& entry, std::int64_t now) const;
    Items::iterator find(std::string_view address);
    void forget(Items::iterator item);
    void shrink();

    Times times_;
    Items items_;
    std::unordered_map<std::string_view, Items::iterator> index_;   // keys are those of the items
};

}  // namespace verify
