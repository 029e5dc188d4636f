// A service that runs: its sockets, its processes, and when to start another.
//
// A process is started when a client waits and nobody is free; the processes then serve the socket
// themselves, and master hears of it again only when the last free one becomes busy.  So master
// watches a service's sockets only while none of its processes is free and another one may start.
#pragma once

#include "libipc/channel.h"
#include "libipc/child.h"
#include "libipc/control.h"
#include "libutil/event.h"
#include "master/sockets.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace master {

// What all services share.
struct Surroundings {
    util::EventLoop& loop;
    std::string config_directory;
    std::vector<std::string> environment;
    util::Duration throttle_time{};
    util::Duration stress_time{};
    bool unprivileged = false;
    bool verbose = false;
    int log_to = -1;              // where children send their lines
    int certificates = -1;        // a sealed memfd, or -1
};

class Service {
public:
    // `listeners` are descriptors that outlive the service.
    Service(Surroundings& surroundings, ServicePlan plan, std::vector<int> listeners);
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    const ServicePlan& plan() const { return plan_; }

    // Begins: starts what must always run, gives the first wake-up.
    void begin();
    // A new configuration.  Processes finish their clients under the old one.
    void reconfigure(ServicePlan plan, std::vector<int> listeners);
    void certificates_changed();
    // No more processes; those that run are told to end.  With `now`, also those with clients.
    void stop(bool now);
    void kill();

    bool owns(pid_t pid) const { return children_.contains(pid); }
    void child_ended(pid_t pid, int status);
    bool empty() const { return children_.empty(); }
    // Has any process said that it serves?
    bool is_ready() const;
    bool is_throttled() const { return throttle_.running(); }
    server::ServiceStatus status() const;
    // Workers that say of a client; of one of them, SIGTERM ends the session, and with it the process.
    void add_notes(std::vector<server::WorkerNote>& notes) const;
    bool kick(pid_t pid);

private:
    struct Child {
        // Shared by all processes of one configuration: those that finish under an old one are not on
        // the scoreboard that says whether somebody is free.
        std::shared_ptr<server::Scoreboard> scoreboard;
        unsigned slot = 0;
        bool ready = false;
        bool draining = false;
        bool replaced = false;    // told to end, but counted until it does: stress began, or ended
        bool wake_when_ready = false;
        bool certificates_when_ready = false;
        server::Reload reload = server::Reload::replace;
        std::unique_ptr<ipc::Channel> channel;
    };

    unsigned active() const;              // processes that are not draining
    bool must_wait_for_old() const;       // an exclusive one is still there
    void start_child(bool wake = false);
    util::Result<void> try_start_child(bool wake);
    void drain(Child& child);
    void send_certificates(Child& child);
    bool anybody_free() const { return scoreboard_ && scoreboard_->any_free(); }
    void all_busy();
    void set_stress(bool on);
    void stress_may_end();
    void heard(pid_t pid, ipc::Packet& packet);
    void wake();
    // Starts, watches or rests, as the state of things asks for.
    void ensure();
    void client_waits();
    void throttle();
    std::optional<unsigned> free_slot() const;

    Surroundings& surroundings_;
    ServicePlan plan_;
    std::vector<int> listeners_;
    std::shared_ptr<server::Scoreboard> scoreboard_;
    std::map<pid_t, Child> children_;
    std::vector<util::Watch> watches_;
    util::Timer throttle_;
    util::Timer wakeup_;
    std::uint64_t started_ = 0;
    bool stress_ = false;
    util::Timer stress_timer_;
    util::Instant next_busy_warning_{};
    bool stopping_ = false;
    bool wake_pending_ = false;
};

}  // namespace master
