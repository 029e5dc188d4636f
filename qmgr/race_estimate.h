// RaceEstimate: how long a message may be delivered before it must be named.
//
// Naming costs a file and a sync that a delivered message does not need, so the wait is as long as
// deliveries of late have taken, mean and four deviations, as TCP waits for an answer (RFC 6298).
// When they take longer than the limit, waiting only adds to the delay: the answer is zero.
#pragma once

#include "libutil/time.h"

namespace qmgr {

class RaceEstimate {
public:
    // A delivery of a message that could race took this long, whether it won or lost.
    void add(util::Duration took);
    util::Duration wait(util::Duration limit) const;

private:
    static constexpr double minimum = 20'000;   // microseconds: a scheduling hiccup is no slow disk

    bool known_ = false;
    double mean_ = 0;        // microseconds
    double deviation_ = 0;
};

}  // namespace qmgr
