// Socket addresses as text.
#include "libnet/endpoint.h"

#include "libconf/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

namespace net {

std::optional<Endpoint> endpoint_of(const sockaddr_storage& address, socklen_t size)
{
    char text[INET6_ADDRSTRLEN] = "";
    Endpoint end;
    if (address.ss_family == AF_INET && size >= sizeof(sockaddr_in)) {
        sockaddr_in v4{};
        std::memcpy(&v4, &address, sizeof v4);
        ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
        end.port = ntohs(v4.sin_port);
    } else if (address.ss_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &address, sizeof v6);
        ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
        end.port = ntohs(v6.sin6_port);
    }
    auto plain = conf::IpAddress::parse(text);
    if (!plain.ok())
        return std::nullopt;
    end.address = plain->to_text();
    return end;
}

std::optional<Endpoint> local_endpoint(int socket)
{
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) < 0)
        return std::nullopt;
    return endpoint_of(address, size);
}

}  // namespace net
