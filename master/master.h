// master(8) itself: services by the plan, reload, stop, and the answers to tern(1).
#pragma once

#include "libutil/shortage.h"
#include "master/certificates.h"
#include "master/notify.h"
#include "master/service.h"

#include <list>

namespace master {

struct Options {
    std::string config_directory{conf::built_in_config_directory};
    bool foreground = false;  // log lines go to standard output too
    bool verbose = false;
    int report_to = -1;       // where "ready" or what is wrong is written, then closed
};

class Master {
public:
    // Reads the configuration, locks the instance, opens its sockets and starts the log daemon.  What
    // is wrong is in the Problems or in the error.
    static util::Result<std::unique_ptr<Master>> start(Options options, conf::Problems& problems);

    // Until told to stop and all processes have ended.
    void run();

private:
    struct ControlClient {
        std::unique_ptr<ipc::Channel> channel;
    };
    enum class Phase { Running, StoppingServers, StoppingRest, StoppingLog };

    Master(Options options, util::EventLoop loop);
    util::Result<void> lock_instance();
    util::Result<void> open_log();
    util::Result<void> open_control();
    void watch_signals();

    // Opens what the plan wants and is not open yet.
    util::Result<Sockets> open_missing(const Plan& plan, std::map<std::string, std::vector<std::string>>& keys) const;
    std::vector<int> descriptors(const std::vector<std::string>& keys) const;
    void build_environment();
    void apply(std::unique_ptr<Plan> plan, Sockets opened, std::map<std::string, std::vector<std::string>> keys);
    server::ControlAnswer reload();
    server::ControlAnswer take_over_configuration();

    void children_ended();
    void begin_stop();
    void stop_services();
    void next_phase();
    bool gone(bool servers_only) const;
    void finish();
    void report_ready();
    void report(std::string_view text);
    void check_certificates();

    void accept_control();
    void answer(ControlClient& client, ipc::Packet& packet);
    server::ControlAnswer status() const;
    void tell_who(ipc::Channel& channel) const;
    server::ControlAnswer kick(pid_t pid);

    Options options_;
    Notifier notifier_ = Notifier::from_environment();
    util::EventLoop loop_;
    bool unprivileged_;
    util::Instant started_ = util::now();
    std::unique_ptr<Plan> plan_;
    util::UniqueFd pid_file_;
    util::UniqueFd log_from_;   // the end that the log daemon reads
    util::UniqueFd log_to_;
    util::UniqueFd control_;
    std::string control_path_;
    Sockets sockets_;
    Certificates certificates_;
    Surroundings surroundings_;
    std::map<std::string, std::unique_ptr<Service>> services_;  // by the id of their entry
    std::list<std::unique_ptr<Service>> retired_;               // no longer in master.cf
    std::list<ControlClient> control_clients_;
    Phase phase_ = Phase::Running;
    std::vector<util::SignalWatch> signals_;
    util::Watch control_watch_;
    util::Timer control_pause_;
    util::Shortage shortage_;
    util::Timer certificate_timer_;
    util::Timer phase_timer_;
    util::Timer repeat_timer_;
    util::Timer ready_timer_;
};

}  // namespace master
