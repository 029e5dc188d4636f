// Prober: makes probes and hands them to cleanup(8), one after the other over one connection.
#pragma once

#include "libipc/channel.h"
#include "libipc/submission.h"
#include "librouting/probe_sender.h"

#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace verify {

struct ProbeSettings {
    std::string cleanup_socket;
    routing::ProbeSender sender;
    std::string hostname;          // for the probe's header
    util::Duration timeout{300'000'000};
};

class Prober {
public:
    struct Events {
        // The probe is about to leave under this id: its result may come at any time from now on.
        std::function<void(const std::string& address, const std::string& queue_id)> leaves;
        // There will be no result.  Permanent: cleanup has refused the address; else it is not to be had now.
        std::function<void(const std::string& address, const util::Error& error)> failed;
    };

    Prober(util::EventLoop& loop, ProbeSettings settings, Events events);
    // Events are called later, never from within.
    void probe(std::string address);
    std::size_t waiting() const { return waiting_.size(); }

private:
    struct Probe {
        std::string address;
        bool again = false;        // it was handed over before, and lost
    };

    void serve();
    bool connect();
    void send();
    void received(ipc::Packet& packet);
    void verdict(const ipc::Verdict& verdict);
    void lost(const util::Error& error);
    void fail_all(const util::Error& error);

    util::EventLoop& loop_;
    ProbeSettings settings_;
    Events events_;
    std::unique_ptr<ipc::Channel> channel_;
    std::string next_queue_id_;            // empty until cleanup has greeted
    std::unique_ptr<Probe> current_;       // handed over, without a verdict yet
    std::deque<Probe> waiting_;
    util::Timer serve_timer_;
    util::Timer patience_;                 // with cleanup
};

}  // namespace verify
