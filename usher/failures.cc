// Pauses after failures.
#include "usher/failures.h"

#include <algorithm>

namespace usher {

Failures::Entry& Failures::note(const std::string& account, bool was_ready, util::Duration pause,
                                util::Duration limit, util::Instant now)
{
    if (entries_.size() >= max_failures && !entries_.contains(account))
        entries_.erase(std::min_element(entries_.begin(), entries_.end(),
                                        [](const auto& a, const auto& b) { return a.second.until < b.second.until; }));
    Entry& entry = entries_[account];
    entry.starts = was_ready ? 0 : entry.starts + 1;
    util::Duration wait = pause;
    for (unsigned i = 1; i < entry.starts && wait < limit; ++i)
        wait *= 2;
    entry.until = now + std::min(wait, std::max(limit, pause));
    return entry;
}

const Failures::Entry* Failures::pausing(const std::string& account, util::Instant now) const
{
    auto found = entries_.find(account);
    return found != entries_.end() && now < found->second.until ? &found->second : nullptr;
}

}  // namespace usher
