// Telling the service manager.
#include "master/notify.h"

#include "libutil/text.h"
#include "libutil/unique_fd.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include <cstdlib>
#include <cstring>

namespace master {

Notifier Notifier::from_environment()
{
    Notifier notifier;
    if (const char* path = std::getenv("NOTIFY_SOCKET"))
        notifier.path_ = path;
    ::unsetenv("NOTIFY_SOCKET");
    return notifier;
}

void Notifier::reloading() const
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    tell(util::concat("RELOADING=1\nMONOTONIC_USEC=", now.tv_sec * 1'000'000 + now.tv_nsec / 1000));
}

void Notifier::tell(std::string_view text) const
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    // A path, or with @ a name in the abstract namespace, which begins with a NUL byte.
    if (path_.size() < 2 || path_.size() >= sizeof address.sun_path || (path_[0] != '/' && path_[0] != '@'))
        return;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    if (path_[0] == '@')
        address.sun_path[0] = '\0';
    util::UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket)
        return;
    auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
    (void)::sendto(socket.get(), text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), size);
}

}  // namespace master
