// Stands between a client and a server, and does harm to what the server sends.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <cstddef>

namespace test {

// What a server's bytes suffer on their way to the client.
struct Harm {
    std::size_t at = 0;
    bool cut = false;           // the connection ends there
    unsigned char change = 0;   // the byte there is another one
};

// Carries bytes between client and server; returns when both have closed, or it has cut.
inline std::size_t relay(int client, int server, const Harm& harm)
{
    std::size_t passed = 0;
    char buffer[8192];
    for (;;) {
        pollfd items[2] = {{.fd = client, .events = POLLIN, .revents = 0}, {.fd = server, .events = POLLIN, .revents = 0}};
        if (::poll(items, 2, 20'000) <= 0)
            return passed;
        if (items[0].revents) {
            auto count = ::recv(client, buffer, sizeof buffer, 0);
            if (count <= 0 || ::send(server, buffer, std::size_t(count), MSG_NOSIGNAL) < 0)
                return passed;
        }
        if (items[1].revents) {
            auto count = ::recv(server, buffer, sizeof buffer, 0);
            if (count <= 0)
                return passed;
            auto size = std::size_t(count);
            bool inside = harm.at >= passed && harm.at < passed + size;
            if (inside && harm.cut)
                size = harm.at - passed;
            else if (inside)
                buffer[harm.at - passed] = char(buffer[harm.at - passed] ^ harm.change);
            if (size > 0 && ::send(client, buffer, size, MSG_NOSIGNAL) < 0)
                return passed;
            passed += size;
            if (inside && harm.cut)
                return passed;
        }
    }
}

}  // namespace test
