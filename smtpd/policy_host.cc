#include "smtpd/policy_host.h"

#include "libutil/log.h"
#include "libutil/text.h"

#include <algorithm>

namespace smtpd {

util::Result<std::vector<std::string>> PolicyHost::addresses(util::Instant now)
{
    if (now < until_)
        return addresses_;
    auto found = lookup_(name_);
    if (found.ok() && !found->addresses.empty()) {
        addresses_ = std::move(found->addresses);
        if (addresses_.size() > max_host_addresses)
            addresses_.resize(max_host_addresses);
        until_ = now + std::clamp(found->ttl, min_host_age, max_host_age);
        return addresses_;
    }
    std::string why = found.ok() ? "no address" : found.error().text;
    if (addresses_.empty())
        return util::temporary(util::concat(name_, ": ", why));
    until_ = now + failed_host_age;
    util::log::warning("policy server ", name_, ": ", why, ": the addresses that were known are used");
    return addresses_;
}

}  // namespace smtpd
