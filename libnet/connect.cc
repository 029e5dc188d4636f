// Connecting: a socket that does not wait, poll(2), and what became of it.
#include "libnet/connect.h"

#include "libnet/transport.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace net {

namespace {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

util::Error failed(int code)
{
    return {util::Kind::Temporary, ::strerror(code), code};
}

util::Result<SocketAddress> address_of(const Endpoint& endpoint)
{
    SocketAddress address;
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (::inet_pton(AF_INET, endpoint.address.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(endpoint.port);
        std::memcpy(&address.storage, &v4, sizeof v4);
        address.size = sizeof v4;
    } else if (::inet_pton(AF_INET6, endpoint.address.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(endpoint.port);
        std::memcpy(&address.storage, &v6, sizeof v6);
        address.size = sizeof v6;
    } else {
        return util::invalid(util::concat(util::printable(endpoint.address, 100), " is no address"));
    }
    return address;
}

// EINTR is nobody's end: the kernel goes on connecting (POSIX), and so do we.
util::Result<void> wait_connected(int fd, const ConnectOptions& options)
{
    auto deadline = util::Deadline::in(options.timeout);
    for (;;) {
        pollfd item{.fd = fd, .events = POLLOUT, .revents = 0};
        int ready = ::poll(&item, 1, deadline.poll_milliseconds());
        if (ready > 0)
            break;
        if (ready < 0 && errno != EINTR)
            return failed(errno);
        if (ready < 0 && options.wants_stop && options.wants_stop())
            return util::Error{util::Kind::Temporary, "interrupted", interrupted_code};
        if (ready == 0 || deadline.passed())
            return failed(ETIMEDOUT);
    }
    int code = 0;
    socklen_t size = sizeof code;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0)
        code = errno;
    return code == 0 ? util::Result<void>() : failed(code);
}

util::Result<util::UniqueFd> open_and_connect(const SocketAddress& to, const SocketAddress* from, const ConnectOptions& options)
{
    util::UniqueFd fd(::socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.valid())
        return failed(errno);
    if (from && ::bind(fd.get(), from->get(), from->size) < 0)
        return failed(errno);
    if (::connect(fd.get(), to.get(), to.size) < 0) {
        // A Unix socket whose queue is full says EAGAIN: there is nothing to wait for.
        if (errno != EINPROGRESS && errno != EINTR)
            return failed(errno);
        TRY(wait_connected(fd.get(), options));
    }
    TRY(util::sys::set_nonblocking(fd.get(), false));
    return fd;
}

}  // namespace

util::Result<util::UniqueFd> connect_to(const Endpoint& endpoint, const ConnectOptions& options)
{
    SocketAddress to = TRY(address_of(endpoint));
    SocketAddress from;
    bool bound = !options.from.empty();
    if (bound)
        from = TRY(address_of({.address = options.from, .port = 0}));
    util::UniqueFd fd = TRY(open_and_connect(to, bound ? &from : nullptr, options));
    int on = 1;
    (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

util::Result<util::UniqueFd> connect_to_path(const std::string& path, const ConnectOptions& options)
{
    sockaddr_un name{};
    if (path.size() >= sizeof name.sun_path)
        return util::invalid("the path of the socket is too long");
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path.data(), path.size());
    SocketAddress to;
    std::memcpy(&to.storage, &name, sizeof name);
    to.size = sizeof name;
    return open_and_connect(to, nullptr, options);
}

}  // namespace net
