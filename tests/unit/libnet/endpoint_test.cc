#include "libnet/endpoint.h"

#include "libutil/sys.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

namespace {

std::string endpoint_text(int family, const char* address, std::uint16_t port)
{
    sockaddr_storage storage{};
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (family == AF_INET) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        THAT(::inet_pton(AF_INET, address, &v4.sin_addr) == 1);
        std::memcpy(&storage, &v4, sizeof v4);
    } else {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        THAT(::inet_pton(AF_INET6, address, &v6.sin6_addr) == 1);
        std::memcpy(&storage, &v6, sizeof v6);
    }
    auto end = net::endpoint_of(storage, family == AF_INET ? sizeof v4 : sizeof v6);
    return end ? util::concat(end->address, '#', end->port, end->is_loopback() ? " loopback" : "") : "none";
}

TEST(a_mapped_address_is_ipv4)
{
    EQ(endpoint_text(AF_INET6, "::ffff:192.0.2.9", 25), "192.0.2.9#25");
    EQ(endpoint_text(AF_INET6, "2001:db8::1", 65535), "2001:db8::1#65535");
    EQ(endpoint_text(AF_INET6, "::1", 1), "::1#1 loopback");
    EQ(endpoint_text(AF_INET6, "::ffff:127.0.0.9", 1), "127.0.0.9#1 loopback");
    EQ(endpoint_text(AF_INET, "127.0.0.1", 77), "127.0.0.1#77 loopback");
}
END_TEST

TEST(other_families_have_no_endpoint)
{
    auto pair = util::sys::socket_pair(SOCK_STREAM).take();
    THAT(!net::local_endpoint(pair.first.get()));
    sockaddr_storage storage{};
    storage.ss_family = AF_INET6;
    THAT(!net::endpoint_of(storage, sizeof(sockaddr_in)));  // cut short
}
END_TEST

}  // namespace

SUITE(endpoint, a_mapped_address_is_ipv4, other_families_have_no_endpoint)
