// What a Process holds; for libipc/process*.cc only.
#pragma once

#include "libipc/channel.h"
#include "libipc/config.h"
#include "libipc/server.h"
#include "libutil/shortage.h"

namespace server {

// After SIGTERM or master's death: SIGALRM ends who takes longer than $master_stop_time, for there may
// be nobody else to do it.  May be called by a signal handler.
void end_in_time();

struct Process::State {
    std::string program;
    Arguments arguments;
    conf::Common common;
    Config config;
    Facts facts;
    pid_t master = 0;
    bool orphaned = false;        // master's end of the control connection is closed
    Scoreboard scoreboard;
    util::UniqueFd control;       // until attach() gives it to the channel
    util::UniqueFd certificates;
    std::vector<int> listeners;
    bool nonblocking_clients = false;
    util::UniqueFd spare;         // given up for a client who is turned away for want of descriptors
    util::Shortage shortage;
    std::string farewell;         // what such a client is told

    bool anybody = true;          // no permit() was called
    std::vector<uid_t> permitted;

    // Worker.
    util::UniqueFd waiter;        // epoll
    std::uint64_t used = 0;
    bool stopped = false;         // by master

    // Multiplexer.
    Notifications notifications;
    std::unique_ptr<ipc::Channel> channel;
    util::SignalWatch termination;

    conf::Problems read(std::initializer_list<conf::Section*> sections, bool checking = false);
    util::Result<void> load(std::initializer_list<conf::Section*> sections);
    void tell_all_busy();
    util::Result<bool> peer_permitted(const util::sys::PeerCredentials& peer) const;
    util::Result<std::optional<Client>> accept(int listener);
    void keep_spare();
    util::Result<void> turn_away(int listener, int code);
    util::Result<std::optional<Client>> accept_passed(util::UniqueFd connection, const util::sys::PeerCredentials& peer) const;
    // Master's messages to a worker; true when there was a wake-up.
    bool hear_master();
    void hear(ipc::Packet& packet);
    void stop_multiplexer();
    void terminate_multiplexer();
    void begin_client();
    void start_time() const;
    util::Result<void> begin_waiting();
    util::Result<std::string> certificates_text() const;
};

}  // namespace server
