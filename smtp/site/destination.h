// Destinations: what the nexthop of a route means.
#pragma once

#include "libutil/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace smtp {

struct Destination {
    enum class Kind : std::uint8_t {
        Domain,   // has MX hosts
        Host,     // [host] or [address]: no MX is looked up
        Path,     // unix:path
    };
    Kind kind = Kind::Domain;
    std::string name;          // in lower case and A-labels; an address without brackets; a path as it stands
    std::uint16_t port = 0;    // 0: that of Path
    std::string service;       // the port as it was written, in lower case; empty: it was not
    bool in_brackets = false;  // nothing but addresses is looked up
    bool is_address = false;   // of Host
    std::string text;          // as the route has it, and as tables have it: "[mail.example.org]:587"

    bool operator==(const Destination&) const = default;
};

constexpr std::size_t max_destinations = 20;   // of one nexthop

// "25", or a name: smtp, lmtp, submission, submissions, smtps.
util::Result<std::uint16_t> parse_port(std::string_view text);

// domain, [host], [address], [IPv6:address], each with :port; unix:path; inet: before all but a path.  LMTP
// knows no MX (RFC 2033 §5): a name is a host there.  Invalid: what cannot be a destination.
util::Result<Destination> parse_destination(std::string_view text, std::uint16_t default_port, bool lmtp);

// The destinations of a nexthop, between commas or blanks, to be tried in their order.
util::Result<std::vector<Destination>> parse_destinations(std::string_view text, std::uint16_t default_port, bool lmtp);

}  // namespace smtp
