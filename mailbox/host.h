// The mailbox process behind its main(): one user's store, deliveries into it, sessions upon it.
//
// Everything happens in one loop.  At the end of each turn the store's changes are handed to its
// helper thread, so that what came in together shares a sync, and sessions send what they have to
// say; a session with a long command gets a slice of time only between looks at the descriptors.
#pragma once

#include "libipc/channel.h"
#include "libipc/mailbox.h"
#include "libipc/who.h"
#include "libipc/protocol_session.h"
#include "libstore/store.h"
#include "libutil/event.h"
#include "mailbox/client.h"
#include "mailbox/deliveries.h"

#include <functional>
#include <memory>
#include <vector>

namespace mailbox {

// The most connections that deliver at a time: usher makes one for each local process.
constexpr std::size_t max_deliverers = 64;
// How long sessions may take to end when the process is told to leave.
constexpr util::Duration leave_time{3'000'000};

class Host {
public:
    // Makes the session for a client, or nullptr for a service that is not offered.
    using SessionFactory =
        std::function<std::unique_ptr<ipc::ProtocolSession>(const ipc::SessionFacts&, store::Store&)>;

    // `control`: the socket to usher, behind its MailboxSettings.
    Host(util::EventLoop& loop, util::UniqueFd control, const ipc::MailboxSettings& settings,
         store::Store& store, Renderer render, SessionFactory make_session);
    ~Host();

    // Serves until usher closes the control socket, SIGTERM (leave()), or the disk fails: then an
    // error, and nothing since the store's durable() has been promised to anybody.
    util::Result<void> run();

    // Takes no new work, finishes what was accepted, and lets run() return.
    void leave(std::string_view reason);

private:
    struct Deliverer {
        std::unique_ptr<ipc::Channel> channel;
        store::Lsn pending = 0;   // the highest Lsn it was told as stored
        store::Lsn told = 0;      // and as durable
        bool gone = false;
    };

    void ordered(ipc::Packet& packet);
    void add_deliverer(util::UniqueFd connection);
    void add_client(ipc::NewSession& order);
    void refuse_cut(ipc::Packet& packet);
    void answer(const ipc::NewSession& order, std::string refusal);
    void end_sessions(const std::string& session);
    void tell_end(const std::string& session);
    void deliver(Deliverer& deliverer, ipc::Packet& packet);
    void drain(Deliverer& deliverer);

    void turn();
    void consider_idleness();
    void pass_changes();
    void tell_durable();
    void bury();
    void count_sessions();
    void give_slice();
    bool has_work() const;
    bool is_idle() const;
    void watch_flush();
    void quiet();
    void trim();

    util::EventLoop& loop_;
    ipc::MailboxSettings settings_;
    store::Store& store_;
    SessionFactory make_session_;
    Deliveries deliveries_;
    ipc::Channel control_;
    std::vector<std::unique_ptr<Deliverer>> deliverers_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::vector<store::MailboxId> changed_;   // since the last turn
    store::Lsn durable_ = 0;                  // as sessions were told
    std::uint64_t orders_seen_ = 0;
    std::optional<std::uint32_t> sessions_told_ = 0;   // nothing: it has to be told
    std::size_t next_slice_ = 0;
    bool asked_to_leave_ = false;             // Leaving was sent and nothing came since
    bool leaving_ = false;
    store::Chores chores_ = store::Chores::Done;
    util::Instant leave_at_ = util::Instant::max();
    bool active_ = false;                     // something was done in this turn
    bool untidy_ = true;                      // and since the last housekeeping
    util::Instant last_activity_;
    util::Instant last_need_;                 // when somebody was connected or waited for the disk
    util::Instant untidy_since_;
    std::optional<util::Error> failure_;
    util::Watch store_watch_;
    util::Timer flush_timer_;
    util::Instant flush_at_ = util::Instant::max();
    util::Timer quiet_timer_;
    util::Timer trim_timer_;
    util::Timer idle_timer_;
    util::Timer leave_timer_;
};

}  // namespace mailbox
