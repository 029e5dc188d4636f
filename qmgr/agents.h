// Agents: the connections to delivery agents, and the jobs on them.
//
// A connection is made when a transport has work and no agent has room.  A worker takes one job at a
// time; there are as many connections as it takes, of which at most two wait for a greeting (master
// starts processes, up to its limit).  A multiplexer says with its greeting how many jobs it takes;
// it gets one connection.  A worker's connection that has had nothing to do for a while is closed,
// well before the worker would end by itself.  A worker may say with an outcome that it keeps a connection of
// its own to the job's nexthop: it is the first to get the next job for that.
#pragma once

#include "libipc/channel.h"
#include "libipc/delivery.h"
#include "libutil/time.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace qmgr {

class Agents {
public:
    // An agent ended with jobs unfinished: Alone, each was the only one in its process; Shared, they were
    // many; Innocent, the connection was given up here, or the agent never had them.
    enum class Loss : std::uint8_t { Alone, Shared, Innocent };
    struct Events {
        std::function<void(const ipc::StoredNotice&)> stored;
        std::function<void(ipc::Outcome&)> outcome;
        std::function<void(const std::string& transport, const std::vector<ipc::JobId>& jobs, Loss loss)> lost;
        // Nobody serves the transport's socket.
        std::function<void(const std::string& transport, const util::Error& error)> unavailable;
        // Some agent has room again.
        std::function<void()> room;
    };
    using PathOf = std::function<std::string(const std::string& transport)>;

    Agents(util::EventLoop& loop, PathOf path_of, Events events);
    ~Agents();

    // Is there room for a job now?  If not, a connection may be made, and room() will tell.
    bool can_take(const std::string& transport);
    // Is the transport's agent a multiplexer, as far as is known?
    bool is_multiplexer(const std::string& transport) const;
    std::size_t in_flight(const std::string& transport) const;
    // Does the transport's agent know of Job::verify?  After can_take() said yes.
    bool verifies(const std::string& transport) const;

    // After can_take() said yes.  The message's descriptor stays the caller's.
    void send(const std::string& transport, const ipc::Job& job) { send_as(transport, job, job.nexthop); }
    void send(const std::string& transport, const ipc::Notify& notify) { send_as(transport, notify, {}); }
    // The last recipient of a job has its outcome.
    void finished(ipc::JobId job);

    // No further connections; those without jobs are closed.
    void stop();

private:
    struct Agent;
    struct Service;

    template <typename Message>
    void send_as(const std::string& transport, const Message& message, std::string_view nexthop);
    Service& service(const std::string& transport);
    Agent* agent_with_room(Service& service, std::string_view nexthop);
    void connect(Service& service);
    void received(Agent& agent, ipc::Packet& packet);
    void closed(Agent& agent, const util::Error& error);
    void remove(Agent& agent);
    void close_idle();

    util::EventLoop& loop_;
    PathOf path_of_;
    Events events_;
    std::map<std::string, std::unique_ptr<Service>> services_;
    std::unordered_map<ipc::JobId, Agent*> jobs_;
    std::vector<std::unique_ptr<Agent>> gone_;   // until the callback that is theirs has returned
    util::Timer idle_timer_;
    util::Timer sweep_timer_;
    util::Timer report_timer_;
    std::vector<std::pair<std::string, util::Error>> unavailable_;
    bool stopping_ = false;
};

}  // namespace qmgr
