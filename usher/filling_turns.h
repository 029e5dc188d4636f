// Whose search index is being filled, and who waits for that: so many at a time, first come first served.
//
// What fills an index is a copy of a mailbox process, with memory of its own.  One that cannot go on within its time goes
// to the end of the line, so that a user with very much mail keeps nobody else from his turn.  An account has one turn
// at most, which lasts until its process gives it back, has exited, or has had it too long: whatever a process does, the
// line goes on.  Those who had one too long share one from then on, until each gives one back in time: many of them
// keep the others waiting no longer than one does.  Knows no clock and no descriptors.
#pragma once

#include "libutil/time.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <sys/types.h>
#include <unordered_map>
#include <vector>

namespace usher {

class FillingTurns {
public:
    explicit FillingTurns(std::size_t limit) : limit_(limit) {}

    // Turns beyond a lower limit are not taken away.
    void set_limit(std::size_t limit) { limit_ = limit; }
    std::size_t waiting() const { return line_.size(); }

    // The account's serving process would like to have a turn.  False: it waits already, or has one.
    bool ask(const std::string& account, pid_t pid);
    // It does not wait any more; a turn that it has it keeps.
    void leave_line(const std::string& account);
    // The process gives its turn back, or has exited.  Nothing happens if it has none.
    void over(const std::string& account, pid_t pid);

    // Gives the next one a turn until then: its account.  Nothing: nobody waits, or all turns are taken.
    std::optional<std::string> next(util::Instant until);

    // Takes the turns of those whose time is up.
    struct Late {
        std::string account;
        pid_t pid = 0;
    };
    std::vector<Late> take_late(util::Instant now);
    // When that will have to be done again.
    util::Instant next_late() const;

private:
    struct Waiting {
        std::string account;
        pid_t pid = 0;
    };
    struct Turn {
        pid_t pid = 0;
        util::Instant until{};
    };

    bool may_have_one(const std::string& account) const;

    std::size_t limit_;
    std::uint64_t next_place_ = 1;
    std::map<std::uint64_t, Waiting> line_;
    std::unordered_map<std::string, std::uint64_t> places_;   // by account
    std::map<std::string, Turn> turns_;   // by account
    std::set<std::string> late_;          // whose last turn was taken away
};

}  // namespace usher
