// Which servers a destination has: MX hosts by preference, or those of a service's SRV records, their addresses, and
// what to do without them.  RFC 5321 §5, RFC 7505, RFC 2782.
#pragma once

#include "libconf/network.h"
#include "smtp/site/destination.h"
#include "smtp/site/failure.h"
#include "smtp/site/host.h"
#include "smtp/site/lookup.h"
#include "smtp/site/site_config.h"

#include <functional>
#include <optional>
#include <vector>

namespace smtp {

constexpr std::size_t max_mx_hosts = 100;     // of one domain, by MX or SRV; those of the worst preference are passed over

struct HostRules {
    const SiteConfig& config;
    std::vector<conf::IpAddress> own;          // addresses that are this system
    std::uint16_t loop_port = 25;              // on other ports another program may listen
    std::string path_name;                     // the name of the host behind a Unix socket: ours
    std::function<std::uint64_t()> random;     // for hosts of equal preference; none: in the order of the answers
    std::optional<std::size_t> address_limit = {};  // in place of smtp_mx_address_limit
};

struct HostList {
    std::vector<Host> hosts;                   // in the order in which they are to be tried
    std::optional<Failure> failure;            // why there is none
    bool best_mx_is_self = false;              // best_mx_transport may take it
};

// The destinations of a nexthop, and smtp_fallback_relay.  Invalid: one of them cannot be.
util::Result<std::vector<Destination>> destinations_of(std::string_view nexthop, const SiteConfig& config);

HostList find_hosts(Lookup& lookup, const HostRules& rules, const Destination& destination);

}  // namespace smtp
