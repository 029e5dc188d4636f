#include "libipc/orders.h"

#include <poll.h>

namespace ipc {

namespace {

// Between looks at `stop`; a signal ends the wait before.
constexpr int look_milliseconds = 60'000;

}  // namespace

bool wait_for_order(int fd, bool (*stop)())
{
    for (;;) {
        if (stop())
            return false;
        pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
        if (::poll(&wanted, 1, look_milliseconds) > 0)
            return true;
    }
}

}  // namespace ipc
