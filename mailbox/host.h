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
#include "libstore/expiry.h"
#include "libstore/store.h"
#include "libutil/event.h"
#include "mailbox/client.h"
#include "mailbox/deliveries.h"
#include "mailbox/guests.h"
#include "mailbox/quota_keeper.h"
#include "mailbox/search_room.h"

#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace mailbox {

// Mailboxes that are watched for parked sessions; with more these are all woken at the next change.
constexpr std::size_t max_watched = 10'000;
constexpr std::size_t max_woken_at_once = 1000;   // that usher is told of in one packet
// The most connections that deliver at a time: usher makes one for each local process.
constexpr std::size_t max_deliverers = 64;
// How long sessions may take to end when the process is told to leave.
constexpr util::Duration leave_time{3'000'000};

class Host {
public:
    // Makes the session for a client, or nullptr for a service that is not offered.  With a state: one that goes on
    // where it was parked.
    using SessionFactory = std::function<std::unique_ptr<ipc::ProtocolSession>(const ipc::SessionFacts&, store::Store&,
                                                                              std::string_view state)>;

    // `control`: the socket to usher, behind its MailboxSettings.  `search`: may be missing.
    Host(util::EventLoop& loop, util::UniqueFd control, const ipc::MailboxSettings& settings,
         store::Store& store, Renderer render, SessionFactory make_session, SearchRoom* search = nullptr);
    ~Host();

    // The way to other users' mailboxes.
    imapd::engine::Remotes& remotes() { return guests_; }
    // Who has any right in this store's mailboxes; usher is told when that changes.
    void on_sharing(std::function<std::vector<std::string>()> sharers) { sharers_ = std::move(sharers); }

    // Serves until usher closes the control socket, SIGTERM (leave()), or the disk fails: then an
    // error, and nothing since the store's durable() has been promised to anybody.
    util::Result<void> run();

    // Takes no new work, finishes what was accepted, and lets run() return.
    void leave(std::string_view reason);
    // After run(): has something changed of which usher could not be told (ipc::untold_news_status)?
    bool has_untold_news() const { return !woken_.empty(); }

private:
    struct Deliverer {
        std::unique_ptr<ipc::Channel> channel;
        store::Lsn pending = 0;   // the highest Lsn it was told as stored
        store::Lsn told = 0;      // and as durable
        std::optional<ipc::DeliveryStored> answer;   // may say at the end of the turn that it is durable
        bool gone = false;
    };

    void ordered(ipc::Packet& packet);
    void add_deliverer(util::UniqueFd connection);
    void add_client(ipc::NewSession& order);
    void refuse_cut(ipc::Packet& packet);
    void answer(const ipc::NewSession& order, std::string refusal);
    void end_sessions(const std::string& session);
    void set_groups(const std::vector<std::string>& groups);
    void give_back(const ipc::ReturnSession& order);
    void take_up_unsent();
    void tell_end(const std::string& session);
    void park_those_that_wait();
    void send_parked(const ipc::ParkSession& order);
    void session_parked(const ipc::SessionParked& answer);
    void watch(const ipc::WatchMailboxes& order);
    void wake_watchers(store::MailboxId changed);
    void deliver(Deliverer& deliverer, ipc::Packet& packet);
    void expire(const ipc::ExpireMail& order);
    void expire_slice();
    void answer_expiry(std::string failure);
    void drain(Deliverer& deliverer);

    void turn();
    void tell_sharers();
    void consider_idleness();
    void pass_changes();
    void tell_durable();
    void bury();
    void count_sessions();
    void give_slice();
    bool has_work() const;
    bool is_idle() const;
    bool may_housekeep() const;
    bool may_copy() const;
    void watch_flush();
    void quiet();
    void trim();

    util::EventLoop& loop_;
    ipc::MailboxSettings settings_;
    store::Store& store_;
    SessionFactory make_session_;
    SearchRoom* search_;
    Deliveries deliveries_;
    QuotaKeeper quota_;
    ipc::Channel control_;
    Guests guests_;
    std::function<std::vector<std::string>()> sharers_;
    std::vector<std::string> sharers_told_;
    bool sharers_known_ = false;              // usher knows of this process's
    bool sharing_changed_ = true;
    std::vector<std::unique_ptr<Deliverer>> deliverers_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::vector<store::MailboxId> changed_;   // since the last turn
    std::optional<store::Expiry> expiry_;     // old mail that is being removed
    std::vector<std::uint64_t> expiry_orders_;    // who waits for its end
    std::map<store::MailboxId, store::Lsn> watched_;   // for parked sessions; 0: the list, and its fingerprint
    std::vector<store::MailboxId> woken_;     // of which usher has not been told
    store::Lsn durable_ = 0;                  // as sessions were told
    std::uint64_t orders_seen_ = 0;
    std::optional<std::uint32_t> sessions_told_ = 0;   // nothing: it has to be told
    std::size_t next_slice_ = 0;
    bool asked_to_leave_ = false;             // Leaving was sent and nothing came since
    bool leaving_ = false;
    store::Chores chores_ = store::Chores::Done;
    util::Instant chores_since_;              // when they were not Done any more
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
    store::Lsn flushed_ = 0;   // what there was when a turn last looked whether the disk is wanted
    util::Timer park_timer_;
    util::Timer quiet_timer_;
    util::Timer trim_timer_;
    util::Timer idle_timer_;
    util::Timer leave_timer_;
};

}  // namespace mailbox
