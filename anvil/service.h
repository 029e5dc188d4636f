// Service: the peers of anvil(8), and its two tables.
#pragma once

#include "anvil/logins.h"
#include "anvil/rates.h"
#include "libipc/channel.h"

#include <functional>
#include <memory>
#include <unordered_map>

namespace anvil {

struct Settings {
    std::size_t client_limit = 100'000;
    util::Duration rate_time_unit{60'000'000};
    util::Duration status_update_time{600'000'000};
    util::Duration failure_time{600'000'000};
    util::Duration known_network_time{std::chrono::hours(24 * 30)};
    uid_t auth_uid = 0;   // who may tell of log-ins
};

class Service {
public:
    Service(util::EventLoop& loop, Settings settings);

    void change(Settings settings);
    void accept(util::UniqueFd fd, uid_t uid, std::function<void()> gone);
    // The lines of "statistics:", and a new beginning.
    void log_statistics();

private:
    struct Peer {
        uid_t uid = 0;
        std::string connected;   // the key of the client that it serves
        std::function<void()> gone;
        std::unique_ptr<ipc::Channel> channel;
    };

    void received(Peer& peer, ipc::Packet& packet);
    void count(Peer& peer, const ipc::CountEvent& event);
    void disconnect(Peer& peer);
    void sweep();
    void warn_of_evictions();

    util::EventLoop& loop_;
    Settings settings_;
    Rates rates_;
    Logins logins_;
    std::unordered_map<std::uint64_t, Peer> peers_;
    std::uint64_t next_peer_ = 1;
    util::Timer sweep_timer_;
    util::Timer statistics_timer_;
    std::uint64_t evicted_ = 0;       // as last warned of
    util::Instant next_warning_{};
};

}  // namespace anvil
