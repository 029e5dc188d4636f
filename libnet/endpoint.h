// One end of a connection between hosts, as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sys/socket.h>

namespace net {

struct Endpoint {
    std::string address;  // "192.0.2.1", "2001:db8::1"; IPv4 in IPv6 as IPv4
    std::uint16_t port = 0;

    bool is_loopback() const { return address == "::1" || address.starts_with("127."); }
    bool operator==(const Endpoint&) const = default;
};

// Nothing for other families than IPv4 and IPv6.
std::optional<Endpoint> endpoint_of(const sockaddr_storage& address, socklen_t size);
// The end of a socket that is ours.
std::optional<Endpoint> local_endpoint(int socket);

}  // namespace net
