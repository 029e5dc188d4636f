// When users have logged in, for a time that must pass before they may again.  Knows no clock.
//
// The table is bounded: at max_log_ins the oldest one is forgotten, whose user may log in sooner.
#pragma once

#include "libutil/time.h"

#include <cstddef>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>

namespace usher {

constexpr std::size_t max_log_ins = 100'000;

class LogIns {
public:
    // May this user log in?  Then it is noted; a log-in that is refused does not count.
    bool admit(const std::string& account, util::Duration delay, util::Instant now);
    std::size_t size() const { return last_.size(); }

private:
    void forget_oldest();

    std::unordered_map<std::string, util::Instant> last_;
    std::deque<std::pair<util::Instant, std::string>> order_;   // the oldest first
};

}  // namespace usher
