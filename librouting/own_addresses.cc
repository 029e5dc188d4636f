// The addresses of this machine.
#include "librouting/router.h"

#include "libutil/handle.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>

namespace routing {

namespace {

using Interfaces = util::Handle<ifaddrs, freeifaddrs>;

void add_interfaces(std::vector<conf::IpAddress>& addresses)
{
    ifaddrs* raw = nullptr;
    if (::getifaddrs(&raw) != 0)
        return;
    Interfaces interfaces(raw);
    for (const ifaddrs* entry = raw; entry; entry = entry->ifa_next) {
        if (!entry->ifa_addr)
            continue;
        int family = entry->ifa_addr->sa_family;
        char text[INET6_ADDRSTRLEN] = {};
        const void* bytes = nullptr;
        if (family == AF_INET)
            bytes = &reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr;
        else if (family == AF_INET6)
            bytes = &reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr)->sin6_addr;
        if (!bytes || !::inet_ntop(family, bytes, text, sizeof text))
            continue;
        auto address = conf::IpAddress::parse(text);
        if (address)
            addresses.push_back(*address);
    }
}

}  // namespace

std::vector<conf::IpAddress> own_addresses(const conf::Common& common)
{
    std::vector<conf::IpAddress> addresses;
    for (const std::string& word : *common.inet_interfaces) {
        if (word == "all")
            add_interfaces(addresses);
        else if (auto address = conf::IpAddress::parse(word))
            addresses.push_back(*address);
    }
    for (const char* loopback : {"127.0.0.1", "::1"}) {
        auto address = conf::IpAddress::parse(loopback);
        if (std::find(addresses.begin(), addresses.end(), *address) == addresses.end())
            addresses.push_back(*address);
    }
    return addresses;
}

}  // namespace routing
