// The Client at the other end of a socket.
#pragma once

#include "libipc/server.h"
#include "smtpd/client.h"
#include "smtpd/config.h"

namespace smtpd {

// A loopback address is "localhost", others are "unknown" before find_name() (names.h).  Unix sockets count as
// loopback.  With smtpd_upstream_proxy_protocol the addresses are those that the proxy tells.
// Errors are those of net::wait_for_proxy_header(): the connection is worth nothing then.
util::Result<Client> client_of(const server::Client& connection, const Config& config);

}  // namespace smtpd
