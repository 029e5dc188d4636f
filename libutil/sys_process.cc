// System calls on sockets, memory files and processes.
#include "libutil/sys.h"

#include "libutil/sys_hook.h"
#include "libutil/text.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace util::sys {

namespace {

constexpr int all_seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

Result<void> change_flags(int fd, int get, int set, int flag, bool on)
{
    int flags = ::fcntl(fd, get);
    if (flags < 0)
        return system_error(concat("fcntl descriptor ", fd), errno);
    int wanted = on ? flags | flag : flags & ~flag;
    if (wanted != flags && ::fcntl(fd, set, wanted) < 0)
        return system_error(concat("fcntl descriptor ", fd), errno);
    return {};
}

}  // namespace

Result<UniqueFd> memfd(const char* name)
{
    int fd = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return system_error("memfd_create", errno);
    return UniqueFd(fd);
}

Result<void> seal(int fd)
{
    if (::fcntl(fd, F_ADD_SEALS, all_seals) < 0)
        return system_error(concat("seal descriptor ", fd), errno);
    return {};
}

bool is_sealed(int fd)
{
    int seals = ::fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & all_seals) == all_seals;
}

Result<SocketPair> socket_pair(int type)
{
    int fds[2];
    if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) < 0)
        return system_error("socketpair", errno);
    return SocketPair{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Result<PeerCredentials> peer_credentials(int fd)
{
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return system_error("SO_PEERCRED", errno);
    return PeerCredentials{.pid = peer.pid, .uid = peer.uid, .gid = peer.gid};
}

Result<std::uint64_t> socket_cookie(int fd)
{
    std::uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    if (::getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) < 0)
        return system_error("SO_COOKIE", errno);
    return cookie;
}

Result<void> close_from(int first)
{
    unsigned from = static_cast<unsigned>(first);
    int kept = fault_descriptor();
    if (kept >= first) {
        if (kept > first && ::close_range(from, static_cast<unsigned>(kept) - 1, 0) < 0)
            return system_error("close_range", errno);
        from = static_cast<unsigned>(kept) + 1;
    }
    if (::close_range(from, ~0u, 0) < 0)
        return system_error("close_range", errno);
    return {};
}

Result<UniqueFd> duplicate(int fd)
{
    int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return system_error(concat("duplicate descriptor ", fd), errno);
    return UniqueFd(copy);
}

void acknowledge(int socket, std::size_t received)
{
    const int on = 1;
    if (received >= acknowledged_at_once)
        (void)::setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);   // other sockets have no need of it
}

Result<void> set_nonblocking(int fd, bool on)
{
    return change_flags(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

Result<void> set_close_on_exec(int fd, bool on)
{
    return change_flags(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

void close_at_once(UniqueFd& socket)
{
    if (!socket.valid())
        return;
    linger none{};
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
    socket.reset();
}

}  // namespace util::sys
