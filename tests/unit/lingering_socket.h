// A connection whose end close() would wait two minutes for a peer who does not read.
#pragma once

#include "libutil/unique_fd.h"
#include "tests/unit/suite.h"

#include <netinet/in.h>
#include <sys/socket.h>

namespace test {

// `peer`: the other end.  Something has to be sent first.
inline util::UniqueFd lingering_socket(util::UniqueFd& peer)
{
    util::UniqueFd listener(::socket(AF_INET, SOCK_STREAM, 0));
    peer.reset(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* name = reinterpret_cast<sockaddr*>(&address);
    THAT(::bind(listener.get(), name, size) == 0 && ::listen(listener.get(), 1) == 0 &&
         ::getsockname(listener.get(), name, &size) == 0);
    THAT(::connect(peer.get(), name, size) == 0);
    util::UniqueFd socket(::accept(listener.get(), nullptr, nullptr));
    linger wait{.l_onoff = 1, .l_linger = 120};
    EQ(::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &wait, sizeof wait), 0);
    return socket;
}

}  // namespace test
