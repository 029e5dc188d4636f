// The listening sockets of services.  They belong to master(8): a reload that leaves an address
// alone leaves its socket alone, with the clients that wait there.
#pragma once

#include "master/plan.h"

#include "libutil/unique_fd.h"

#include <map>
#include <sys/socket.h>

namespace master {

// Where a service listens: one address, or one path.
struct Endpoint {
    std::string key;  // "inet/127.0.0.1:25", "/var/spool/tern/private/cleanup"
    std::string path;  // of a Unix socket
    sockaddr_storage address{};
    socklen_t address_size = 0;
    int type = SOCK_STREAM;
    bool may_be_missing = false;  // one family of "all addresses", which the kernel may not have
};

// Names of hosts and ports are looked up.  Invalid: there is no such name.
util::Result<std::vector<Endpoint>> endpoints_of(const Plan& plan, const ServicePlan& service);

// Opens the socket, non-blocking, and listens.  Accepted TCP connections inherit TCP_NODELAY and
// SO_KEEPALIVE.
util::Result<util::UniqueFd> open_endpoint(const Endpoint& endpoint);

// Nobody can connect there any more, although processes that finish still hold the socket.
void close_listener(const std::string& key, const util::UniqueFd& socket);

using Sockets = std::map<std::string, util::UniqueFd>;

}  // namespace master
