// The Client that a socket's address stands for.
#pragma once

#include "smtpd/client.h"

#include <sys/socket.h>

namespace smtpd {

// IPv4 in IPv6 counts as IPv4.  A loopback address is "localhost"; other names take DNS, which is
// not asked: "unknown".  Unix sockets count as loopback.
Client client_at(const sockaddr_storage& address, socklen_t size);

}  // namespace smtpd
