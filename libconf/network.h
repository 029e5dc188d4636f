// IP addresses and networks: mynetworks, cidr: tables.
#pragma once

#include "libutil/result.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace conf {

// An IPv4 or IPv6 address.  IPv4 in IPv6 ("::ffff:192.0.2.1") counts as IPv4, as clients on a dual
// socket come.
struct IpAddress {
    std::array<std::uint8_t, 16> bytes{};  // the first 4 for IPv4
    int length = 0;                        // bytes: 4 or 16

    // "192.0.2.1", "2001:db8::1" or "[2001:db8::1]"; "IPv6:" before it is taken, too.
    static util::Result<IpAddress> parse(std::string_view text);
    std::string to_text() const;
    bool operator==(const IpAddress&) const = default;
};

// An address and how many of its bits count.
struct Network {
    IpAddress address;
    int bits = 0;

    // "192.0.2.0/24", "[2001:db8::]/32", "2001:db8::/32", or one address.  Invalid: bits set beyond
    // the mask, too, since that is never what was meant.
    static util::Result<Network> parse(std::string_view text);
    bool contains(const IpAddress& other) const;
    std::string to_text() const;
};

// The network that a client counts as: "192.0.2.1" with 32 bits, "2001:db8::/84".  What is no address
// stays as it is.
std::string client_network(std::string_view address, int ipv4_bits, int ipv6_bits);

}  // namespace conf
