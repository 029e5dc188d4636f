// RaceEstimate: a smoothed mean and deviation.
#include "qmgr/race_estimate.h"

#include <algorithm>
#include <cmath>

namespace qmgr {

void RaceEstimate::add(util::Duration took)
{
    auto sample = static_cast<double>(took.count());
    if (!known_) {
        known_ = true;
        mean_ = sample;
        deviation_ = sample / 2;
        return;
    }
    deviation_ += (std::abs(sample - mean_) - deviation_) / 16;
    mean_ += (sample - mean_) / 16;
}

util::Duration RaceEstimate::wait(util::Duration limit) const
{
    if (!known_)
        return limit;
    if (mean_ > static_cast<double>(limit.count()))
        return util::Duration::zero();
    double estimate = std::max(minimum, mean_ + 4 * deviation_);
    return std::min(limit, util::Duration(static_cast<std::int64_t>(estimate)));
}

}  // namespace qmgr
