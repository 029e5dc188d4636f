// Listener: accepts the clients of a multiplexer's service in its event loop.
#pragma once

#include "libipc/server.h"

#include <functional>
#include <vector>

namespace server {

class Listener {
public:
    // Calls back for each client, at most `limit` at a time: the program says client_gone() for
    // each that ended.  At the limit the process is marked busy, and master may start another.
    // When the next one cannot be accepted (EMFILE and its kin) it pauses for a second.
    Listener(Process& process, util::EventLoop& loop, std::size_t limit, std::function<void(Client)> accepted);

    void client_gone();
    // One that had gone is there again; false: there is no room for it.
    bool client_back();
    std::size_t clients() const { return clients_; }
    // Accept no more, for good: the process was told to stop.
    void close();

private:
    void ready(int socket);
    void update();

    Process& process_;
    std::size_t limit_;
    std::size_t clients_ = 0;
    bool closed_ = false;
    bool waiting_ = false;  // for descriptors
    std::function<void(Client)> accepted_;
    std::vector<util::Watch> watches_;
    util::Timer resume_;
};

}  // namespace server
