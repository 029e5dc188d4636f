// When users have logged in.
#include "usher/log_ins.h"

namespace usher {

bool LogIns::admit(const std::string& account, util::Duration delay, util::Instant now)
{
    while (!order_.empty() && order_.front().first + delay <= now)
        forget_oldest();
    if (delay <= util::Duration::zero())
        return true;
    if (last_.contains(account))
        return false;
    if (last_.size() >= max_log_ins)
        forget_oldest();
    last_.emplace(account, now);
    order_.emplace_back(now, account);
    return true;
}

void LogIns::forget_oldest()
{
    last_.erase(order_.front().second);
    order_.pop_front();
}

}  // namespace usher
