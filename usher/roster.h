// Who is in the house: the mailbox processes that usher has started, and who has to go when it is
// full.  Knows no clock and no descriptors.
//
// An account has at most one serving process.  One that takes no new work (it wanted to leave, was
// evicted, or broke the rules) counts against the limit until it has exited; its successor waits
// for the store's lock.
#pragma once

#include "libutil/time.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <unordered_map>

namespace usher {

class Roster {
public:
    explicit Roster(std::size_t limit) : limit_(limit) {}

    void set_limit(std::size_t limit) { limit_ = limit; }
    // Live processes, those that are leaving among them.
    std::size_t size() const { return serving_.size() + leaving_.size(); }
    std::size_t leaving() const { return leaving_.size(); }
    bool full() const { return size() >= limit_; }

    bool serves(std::string_view account) const;
    // The serving process of an account, 0 if there is none.
    pid_t pid_of(std::string_view account) const;

    // A process has started.  The account must have no serving one.
    void started(const std::string& account, pid_t pid, util::Instant now);
    // An order goes to the account's process: it is the last that would be evicted.
    void ordered(std::string_view account, util::Instant now);
    std::uint64_t orders(std::string_view account) const;
    // The same for something that is no order.
    void engaged(std::string_view account, util::Instant now);
    // A session was ordered, or the process says how many it holds.  Until it has said so for
    // itself, an ordered session counts.
    void session_ordered(std::string_view account, util::Instant now);
    void sessions_told(std::string_view account, std::uint32_t sessions);

    // Who should leave to make room: of those without sessions, the one longest without an order.
    // Empty when everyone has sessions, or has had an order after `latest`.
    std::string victim(util::Instant latest) const;

    // The account's process takes no new work any more.
    void retire(std::string_view account);

    // A process has exited: its account, empty if it was not known.  `was_serving`: nobody had
    // asked it to leave.
    struct Exit {
        std::string account;
        bool was_serving = false;
    };
    Exit exited(pid_t pid);

private:
    struct Resident {
        std::string account;
        pid_t pid = 0;
        std::uint64_t orders = 0;
        std::uint32_t sessions = 0;
        util::Instant last_order;
    };
    using Residents = std::list<Resident>;
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };

    Residents::iterator find(std::string_view account);

    std::size_t limit_;
    Residents serving_;   // the one longest without an order first
    std::unordered_map<std::string, Residents::iterator, Hash, std::equal_to<>> by_account_;
    std::unordered_map<pid_t, std::string> leaving_;
};

}  // namespace usher
