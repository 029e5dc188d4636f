// Which accounts' mailbox processes failed, and when the next may be started.  Knows no clock.
//
// A process that never became ready makes each pause twice as long as the one before, up to a limit;
// one that had been ready costs one plain pause.  The table is bounded: at max_failures the account
// whose pause ends first is forgotten, which lets it try sooner, no more.
#pragma once

#include "libutil/time.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

namespace usher {

constexpr std::size_t max_failures = 10'000;

class Failures {
public:
    struct Entry {
        unsigned starts = 0;      // in a row that did not become ready; 0: it had been ready
        util::Instant until;      // no process is started before
        std::string reason;       // of the last one, if it gave one
    };

    // The entry is the caller's to add a reason to.
    Entry& note(const std::string& account, bool was_ready, util::Duration pause, util::Duration limit,
                util::Instant now);
    // The account's process is ready.
    void forget(const std::string& account) { entries_.erase(account); }
    // The failure whose pause is not over yet, or nullptr.
    const Entry* pausing(const std::string& account, util::Instant now) const;
    std::size_t size() const { return entries_.size(); }

private:
    std::unordered_map<std::string, Entry> entries_;
};

}  // namespace usher
