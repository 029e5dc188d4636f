// The Client that a socket's address stands for.
#include "smtpd/peer.h"

#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>

namespace smtpd {

Client client_at(const sockaddr_storage& address, socklen_t size)
{
    Client client;
    char text[INET6_ADDRSTRLEN] = "";
    if (address.ss_family == AF_INET && size >= sizeof(sockaddr_in)) {
        sockaddr_in v4{};
        std::memcpy(&v4, &address, sizeof v4);
        ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
        client.port = ntohs(v4.sin_port);
    } else if (address.ss_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &address, sizeof v6);
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
            ::inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text, sizeof text);
        else
            ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
        client.port = ntohs(v6.sin6_port);
    } else {
        std::strcpy(text, "127.0.0.1");
    }
    client.address = text;
    if (client.address == "::1" || client.address.starts_with("127."))
        client.name = "localhost";
    return client;
}

}  // namespace smtpd
