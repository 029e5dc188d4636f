// Connecting to a host or to a Unix socket, in a limited time; for programs that wait.
#pragma once

#include "libnet/endpoint.h"
#include "libutil/result.h"
#include "libutil/time.h"
#include "libutil/unique_fd.h"

#include <functional>
#include <string>

namespace net {

struct ConnectOptions {
    util::Duration timeout = std::chrono::seconds(30);
    // The address that the connection comes from; empty: the system's choice.
    std::string from = {};
    // Asked when a signal interrupts the wait; if it says yes, that ends with interrupted_code (transport.h).
    std::function<bool()> wants_stop = {};
};

// A connected socket in blocking mode, with TCP_NODELAY.  All errors are Temporary but those of an
// address that cannot be one (Invalid); the text is what the system says ("Connection refused").
util::Result<util::UniqueFd> connect_to(const Endpoint& endpoint, const ConnectOptions& options);

// The same for a Unix socket.  Invalid: the path is too long.
util::Result<util::UniqueFd> connect_to_path(const std::string& path, const ConnectOptions& options);

}  // namespace net
