// The listening sockets of services.
#include "master/sockets.h"

#include "libutil/sys.h"
#include "libutil/text.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace master {

namespace {

constexpr int backlog = 4096;  // the kernel takes net.core.somaxconn when that is less

struct FreeAddresses {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

std::string describe(const sockaddr* address, socklen_t size)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (::getnameinfo(address, size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return "(address)";
    return address->sa_family == AF_INET6 ? util::concat("[", host, "]:", port) : util::concat(host, ":", port);
}

bool wants_family(const std::vector<std::string>& protocols, int family)
{
    std::string_view name = family == AF_INET ? "ipv4" : "ipv6";
    return std::ranges::any_of(protocols, [&](const std::string& word) { return word == "all" || word == name; });
}

util::Result<void> look_up(const Plan& plan, const std::string& host, const std::string& port, bool any_family,
                           std::vector<Endpoint>& endpoints)
{
    addrinfo hints{};
    hints.ai_flags = AI_PASSIVE;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    int code = ::getaddrinfo(host.empty() ? nullptr : host.c_str(), port.c_str(), &hints, &list);
    if (code != 0)
        return util::invalid(
            util::concat(host, ":", port, ": ", code == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(code)));
    std::unique_ptr<addrinfo, FreeAddresses> owner(list);
    for (const addrinfo* entry = list; entry; entry = entry->ai_next) {
        if (!wants_family(*plan.common.inet_protocols, entry->ai_family) || entry->ai_addrlen > sizeof(sockaddr_storage))
            continue;
        Endpoint endpoint;
        std::memcpy(&endpoint.address, entry->ai_addr, entry->ai_addrlen);
        endpoint.address_size = entry->ai_addrlen;
        endpoint.key = "inet/" + describe(entry->ai_addr, entry->ai_addrlen);
        endpoint.may_be_missing = any_family;
        if (std::ranges::none_of(endpoints, [&](const Endpoint& other) { return other.key == endpoint.key; }))
            endpoints.push_back(std::move(endpoint));
    }
    return {};
}

util::Result<std::vector<Endpoint>> inet_endpoints(const Plan& plan, const ServicePlan& service)
{
    std::vector<Endpoint> endpoints;
    auto [host, port] = service.entry.host_and_port();
    if (!host.empty()) {
        TRY(look_up(plan, host, port, false, endpoints));
    } else {
        for (const std::string& interface : *plan.common.inet_interfaces) {
            if (interface == "all") {
                TRY(look_up(plan, "", port, true, endpoints));
            } else if (interface == "loopback-only") {
                for (const char* loopback : {"127.0.0.1", "::1"})
                    TRY(look_up(plan, loopback, port, true, endpoints));
            } else {
                TRY(look_up(plan, interface, port, false, endpoints));
            }
        }
    }
    if (endpoints.empty())
        return util::invalid("no address to listen on: see inet_interfaces and inet_protocols");
    return endpoints;
}

util::Error not_bound(const Endpoint& endpoint, int code)
{
    util::Error error = util::system_error(util::concat("bind ", endpoint.key), code);
    // A reload opens what is new before it closes what is old.
    if (code == EADDRINUSE)
        error.text +=
            ": by another program, or at a reload by Tern itself, for a part of it: then \"tern stop\" and \"tern start\"";
    return error;
}

util::Result<util::UniqueFd> open_inet(const Endpoint& endpoint)
{
    util::UniqueFd fd(::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid())
        return util::system_error(util::concat("socket for ", endpoint.key), errno);
    int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (endpoint.address.ss_family == AF_INET6)
        ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&endpoint.address), endpoint.address_size) < 0)
        return not_bound(endpoint, errno);
    if (::listen(fd.get(), backlog) < 0)
        return util::system_error(util::concat("listen on ", endpoint.key), errno);
    return fd;
}

util::Result<util::UniqueFd> open_unix(const Endpoint& endpoint)
{
    util::UniqueFd fd(::socket(AF_UNIX, endpoint.type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid())
        return util::system_error(util::concat("socket for ", endpoint.key), errno);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (endpoint.path.size() >= sizeof address.sun_path)
        return util::permanent(util::concat("the path of a socket is too long: ", endpoint.path));
    std::memcpy(address.sun_path, endpoint.path.data(), endpoint.path.size());
    // What a master that crashed left; the pid file's lock says that none is running.
    if (auto gone = util::sys::unlink(endpoint.path); !gone && gone.error().code != ENOENT)
        return gone.error();
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
        return util::system_error(util::concat("bind ", endpoint.path), errno);
    // Who may connect is decided by the directory, and by the service itself (SO_PEERCRED).
    TRY(util::sys::chmod(endpoint.path, 0666));
    if (endpoint.type != SOCK_DGRAM && ::listen(fd.get(), backlog) < 0)
        return util::system_error(util::concat("listen on ", endpoint.path), errno);
    return fd;
}

}  // namespace

util::Result<std::vector<Endpoint>> endpoints_of(const Plan& plan, const ServicePlan& service)
{
    if (service.always)
        return std::vector<Endpoint>();
    if (service.entry.type == conf::ServiceType::Inet)
        return inet_endpoints(plan, service);
    Endpoint endpoint;
    endpoint.path = util::concat(*plan.common.queue_directory, "/", service.entry.socket_path());
    endpoint.key = endpoint.path;
    endpoint.type = service.entry.type == conf::ServiceType::UnixDatagram ? SOCK_DGRAM : SOCK_SEQPACKET;
    std::vector<Endpoint> endpoints;
    endpoints.push_back(std::move(endpoint));
    return endpoints;
}

void close_listener(const std::string& key, const util::UniqueFd& socket)
{
    if (key.starts_with('/'))
        (void)util::sys::unlink(key);  // a stale name is an annoyance only
    ::shutdown(socket.get(), SHUT_RDWR);
}

util::Result<util::UniqueFd> open_endpoint(const Endpoint& endpoint)
{
    auto fd = endpoint.path.empty() ? open_inet(endpoint) : open_unix(endpoint);
    if (!fd && endpoint.may_be_missing && (fd.error().code == EAFNOSUPPORT || fd.error().code == EADDRNOTAVAIL))
        return util::UniqueFd();
    return fd;
}

}  // namespace master
