// PolicyHost: the addresses of a policy server's host, whose name may mean others while smtpd(8) lives.
#pragma once

#include "libutil/result.h"
#include "libutil/time.h"

#include <functional>
#include <string>
#include <vector>

namespace smtpd {

// What is known of a name is used for as long as its TTL says, within these.
constexpr util::Duration min_host_age = std::chrono::seconds(5);
constexpr util::Duration max_host_age = std::chrono::hours(1);
// What the system says of it before the jail has no TTL.
constexpr util::Duration first_host_age = std::chrono::minutes(1);
// What cannot be looked up is looked up again after that; the addresses that were known are used meanwhile.
constexpr util::Duration failed_host_age = std::chrono::seconds(30);
constexpr std::size_t max_host_addresses = 20;

class PolicyHost {
public:
    struct Found {
        std::vector<std::string> addresses;
        util::Duration ttl{};
    };
    using Lookup = std::function<util::Result<Found>(const std::string& name)>;

    // `first`: what is known at the start, until `until`.
    PolicyHost(std::string name, std::vector<std::string> first, util::Instant until, Lookup lookup)
        : name_(std::move(name)), addresses_(std::move(first)), until_(until), lookup_(std::move(lookup))
    {
    }

    // Looked up if it is time.  Temporary: none is known.
    util::Result<std::vector<std::string>> addresses(util::Instant now);

private:
    std::string name_;
    std::vector<std::string> addresses_;
    util::Instant until_;
    Lookup lookup_;
};

}  // namespace smtpd
