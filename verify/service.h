// Service: who asks, who waits, which probes are out.
#pragma once

#include "libipc/channel.h"
#include "verify/cache_file.h"
#include "verify/prober.h"

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace verify {

struct Settings {
    Times times;
    std::size_t pending_limit = 1;
    util::Duration cleanup_interval{};   // zero: never
    uid_t asker = 0;                     // smtpd's uid
    uid_t teller = 0;                    // qmgr's
    ProbeSettings probes;
};

class Service {
public:
    Service(util::EventLoop& loop, Settings settings, CacheFile file);

    void accept(util::UniqueFd fd, uid_t uid, std::function<void()> gone);
    // Writes what is not written yet.
    void store();

    std::size_t pending() const { return pending_.size(); }

private:
    using ClientNumber = std::uint64_t;
    struct Client {
        uid_t uid = 0;
        std::string address;     // of the question that waits; empty: none
        util::Timer patience;
        std::function<void()> gone;
        std::unique_ptr<ipc::Channel> channel;
    };
    struct Pending {
        util::Instant since{};
        std::vector<std::string> queue_ids;   // two when it had to be sent again
        std::vector<ClientNumber> waiting;
    };

    void received(ClientNumber number, ipc::Packet& packet);
    void query(ClientNumber number, const ipc::VerifyQuery& query);
    void result(const ipc::ProbeResult& result);
    bool start_probe(const std::string& address);
    void end_probe(const std::string& address, ipc::Verification result, const std::string& text, bool remember);
    void answer(Client& client, const ipc::VerifyAnswer& answer);
    void sweep();
    void changed();

    util::EventLoop& loop_;
    Settings settings_;
    CacheFile file_;
    Cache cache_;
    Prober prober_;
    std::unordered_map<ClientNumber, Client> clients_;
    ClientNumber next_client_ = 1;
    std::unordered_map<std::string, Pending> pending_;        // by address
    std::unordered_map<std::string, std::string> by_queue_id_;
    bool dirty_ = false;
    util::Duration store_pause_;
    util::Instant next_expiry_{}, next_warning_{};
    util::Timer store_timer_;
    util::Timer sweep_timer_;
};

}  // namespace verify
