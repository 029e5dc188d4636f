// usher behind its main(): peers order mailboxes and sessions, processes come and go.
//
// Who may ask for what is decided by the uid that the kernel gives for the peer.  Of a user's mail
// nothing passes through here, and nothing that a mailbox process does can do more than end that
// process.
#pragma once

#include "libipc/authentication.h"
#include "libipc/channel.h"
#include "libipc/mailbox.h"
#include "libipc/who.h"
#include "libutil/event.h"
#include "usher/failures.h"
#include "usher/filling_turns.h"
#include "usher/launcher.h"
#include "usher/log_ins.h"
#include "usher/parking.h"
#include "usher/quotas.h"
#include "usher/roster.h"
#include "usher/shares.h"
#include "usher/visitors.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>

namespace usher {

// So much longer than mailbox_search_time_limit a mailbox may keep its turn to fill its search index: until it hears of
// it, and of the end of what fills the index, on a busy machine.
constexpr util::Duration filling_grace{10'000'000};

struct Settings {
    uid_t local_uid = 0;
    uid_t imap_uid = 0;
    uid_t pop3_uid = 0;
    uid_t smtpd_uid = 0;
    uid_t administrator_uid = 0;      // tern who, tern kick, ternuser quota
    uid_t minimum_uid = 1000;         // usher_minimum_uid
    bool own_uid = false;             // one uid for all: peers are told apart by what they ask
    std::size_t process_limit = 500;  // mailbox_process_limit
    std::size_t parked_limit = 20'000;   // mailbox_parked_limit
    std::size_t waking_limit = 50;    // processes that are started for parked sessions, at a time
    std::string auth_socket;
    std::string other_users_prefix;
    std::string public_prefix;
    std::string public_account;
    std::string shares_file;          // who shares with whom; empty: it is not kept
    util::Duration order_timeout{10'000'000};   // waiting for room or for auth
    util::Duration room_patience{5'000'000};    // for mailboxes that must say what they hold, so that another may grow
    util::Duration exit_timeout{10'000'000};    // for a mailbox that was told to leave; then SIGKILL
    util::Duration start_timeout{std::int64_t(1'800) * 1'000'000};   // until a mailbox has opened its store; then SIGKILL
    util::Duration last_exit_timeout{5'000'000};   // the same while usher itself stops
    util::Duration failure_pause{1'000'000};    // after a mailbox failed early, before its successor
    util::Duration failure_pause_limit{60'000'000};
    std::vector<std::string> transcript_accounts;   // whose sessions are written down
    std::size_t filling_limit = 4;    // mailbox_search_index_process_limit
    util::Duration filling_time = util::Duration(60'000'000) + filling_grace;   // mailbox_search_time_limit, and a little
    util::Duration login_delay{};     // pop3d_login_delay
    std::vector<ipc::ExpiryRule> expiry;       // mailbox_expire
    util::Duration expire_interval{std::int64_t(86'400) * 1'000'000};
};

// Connections of smtpd processes at a time: those of others never wait behind them.
constexpr std::size_t max_receivers = 300;
// So long after a change it is written down who shares with whom.
constexpr util::Duration shares_delay{5'000'000};
// A mailbox that fails within this time of its start failed early.
constexpr util::Duration early_time{10'000'000};
// A mailbox may use an order for this long before another user's may evict it.
constexpr util::Duration tenure{100'000};
// The first round of expiry comes so long after the start at the latest; between two users there is a pause, and a
// longer one while there is no room for another process.
constexpr util::Duration first_expiry_time{std::int64_t(15 * 60) * 1'000'000};
constexpr util::Duration expiry_pause{50'000};
constexpr util::Duration expiry_room_pause{2'000'000};
constexpr int expiry_looks = 100;           // at users without mail, in one turn
constexpr std::size_t max_waiting = 2000;   // orders that wait for room, or for the end of a pause
constexpr std::size_t max_tickets = 2000;   // sessions that wait for auth
// Of those that wait: sessions of one guest, with whomever, and guests' sessions with one owner.
constexpr std::size_t max_waiting_of_guest = 50;
constexpr std::size_t max_waiting_of_guests_with = 200;
// Questions who shares with an account that wait for their turn: one of each session.
constexpr std::size_t max_sharer_questions = Visitors::max_of_account;
constexpr std::size_t max_ended = 20;       // orders to end sessions that one of these remembers; then it ends, too
// Orders that may wait in a mailbox's control socket: one that does not read them is ended.
constexpr std::size_t control_queue_limit = 256;
// With so many that wait no guest's session is added to them: so no guest can have the owner's process ended.
constexpr std::size_t guest_queue_limit = control_queue_limit / 4;

class Usher {
public:
    // The account by its name: NotFound, or Temporary when the accounts cannot be read.
    using FindAccount = std::function<util::Result<Identity>(std::string_view account)>;

    // The names of all accounts, for expiry.
    using ListAccounts = std::function<util::Result<std::vector<std::string>>()>;

    Usher(util::EventLoop& loop, Settings settings, Launcher& launcher, FindAccount find_account,
          ListAccounts list_accounts = {});

    // A new connection; `gone` is called when it is over.
    void accept(util::UniqueFd connection, std::function<void()> gone);
    // New settings from now on.
    void change(Settings settings);
    // Limits, and who has them; else nobody has any.  Outlives the Usher.
    void set_quotas(Quotas& quotas) { quotas_ = &quotas; }
    // They have changed: live mailboxes are told.  How many there are.
    std::uint64_t quotas_changed();
    // SIGCHLD: takes in which mailboxes have exited.
    void reap();
    // Tells all mailboxes to leave, and calls `done` when none is left.
    void stop(std::function<void()> done);

    const Roster& roster() const { return roster_; }
    std::size_t parked() const { return parking_.size(); }

private:
    enum Role : unsigned { Nobody = 0, Deliverer = 1, ImapDoor = 2, Pop3Door = 4, Administrator = 8, Receiver = 16 };
    struct Peer {
        std::uint64_t id = 0;
        unsigned roles = Nobody;
        uid_t uid = 0;
        std::unique_ptr<ipc::Channel> channel;
        std::function<void()> gone;
    };
    // Something that an account's mailbox is to do: a session if there is one, else deliveries.
    struct Order {
        std::uint64_t peer = 0;
        std::uint64_t request = 0;
        std::string account;
        std::optional<ipc::NewSession> session;
        bool expire = false;        // nothing but that old mail is removed
        util::Instant deadline{};   // once it waits
        bool of_guest = false;      // nobody hears of a refusal but by the client's end
        std::string app_password = {};
        std::uint64_t parked = 0;   // the session is that one, and nobody else waits for it
    };
    // A session that a mailbox process has been given and has not answered.
    struct Handed {
        std::uint64_t peer = 0;
        std::uint64_t request = 0;
        pid_t pid = 0;
        std::uint64_t parked = 0;
        std::string session = {};
    };
    // Expiry that a mailbox process has been told of; the peer is 0 when it was the timer.
    struct Expiring {
        std::uint64_t peer = 0;
        std::uint64_t request = 0;
        pid_t pid = 0;
        std::string account;
        bool started = false;        // the process was, for this alone
        std::uint64_t orders = 0;    // that it had then
    };
    struct Life {   // of a mailbox process
        util::Instant since{};
        bool ready = false;    // it has opened the store
        bool late = false;     // and it was not in time
        bool failed = false;   // and this is noted
        bool forked = false;   // by a fork server (launcher.h)
        std::string reason = {};    // why it cannot, in its words
        Identity identity = {};
    };
    struct Ticket {
        std::uint64_t peer = 0;
        ipc::OpenSession wanted;
        util::Instant deadline;
        std::vector<ipc::EndSessions> ended = {};   // while auth was asked
    };

    // The socket over which a mailbox says what it holds.
    struct AccountSocket {
        std::string account;
        std::unique_ptr<ipc::Channel> channel;
        util::Instant since{};
        bool told = false;
    };
    struct RecipientQuestion {   // of smtpd
        std::uint64_t peer = 0;
        std::uint64_t request = 0;
        std::string account;
        std::uint64_t size = 0;
        util::Instant deadline{};
    };
    struct RoomQuestion {        // of a mailbox
        pid_t pid = 0;
        std::string account;
        ipc::RoomWanted wanted;
        util::Instant deadline{};
    };
    // Answers to one mailbox: the first of the requests is being answered.
    struct SharersTold {
        std::deque<std::uint64_t> requests;
        std::vector<std::string> owners;
        std::size_t told = 0;
        bool begun = false;
    };
    struct UsageQuestion {       // of root
        std::uint64_t peer = 0;
        std::set<std::string> waiting;
        ipc::UsageKnown known;
        util::Instant deadline{};
    };

    unsigned roles_of(uid_t uid) const;
    void lost_peer(std::uint64_t peer, const util::Error& error);
    void received(std::uint64_t peer, ipc::Packet& packet);
    void open_session(Peer& peer, ipc::OpenSession wanted);
    bool reach_auth();
    void redeemed(ipc::Packet& packet);
    void lost_auth(const util::Error& error);

    void place(Order order);
    void wait_for_room(Order order);
    void wait_for_turn(Order order);
    bool must_wait(const std::string& account) const;
    std::string why_paused(const Failures::Entry& failure) const;
    void make_room();
    util::Result<void> start(const Order& order);
    bool is_reachable(const std::string& account) const;
    bool runs_as(const std::string& account, const Identity& identity) const;
    bool shares_layout(const std::string& account) const;
    void hand_over(Order& order);
    void hand_over_session(Order& order, ipc::Channel& control);
    void never_told(const std::string& account, ipc::Packet& packet);
    void session_taken(const std::string& account, pid_t pid, const ipc::SessionTaken& answer);
    void settle_sessions(pid_t pid, const Life& life);
    void serve_waiting();
    void refuse(const Order& order, bool permanent, std::string text);
    void refuse(std::uint64_t peer, std::uint64_t request, bool permanent, std::string text);
    void refuse(std::uint64_t peer, ipc::MailboxFailed failed);
    ipc::Channel* channel_of(std::uint64_t peer);

    // --- quota_service.cc ---
    util::UniqueFd account_socket(const std::string& account, pid_t pid);
    void send_quota(const std::string& account, AccountQuota quota, bool with_socket);
    void account_socket_lost(pid_t pid, const util::Error& error);
    void account_said(pid_t pid, ipc::Packet& packet);
    void usage_told(pid_t pid, const ipc::MailUsage& usage);
    void account_left(pid_t pid, const std::string& account, const Life& life);
    std::optional<ipc::MailUsage> usage_of(const std::string& account, const std::string& home);
    ipc::MailUsage believed(const std::string& account, ipc::MailUsage claimed);
    bool count_silent(const std::string& domain);
    bool cannot_tell(const std::string& account, const util::Error& error);
    bool learn(const std::string& account, bool nothing_else);
    util::Result<void> ensure_domain(const std::string& domain);
    void learn_members(const std::string& domain);
    // False: it is still open.  `keep`: then it is put among those that wait.
    bool give_room(RoomQuestion question, bool keep);
    std::optional<ipc::QuotaAnswer> judge(const RecipientQuestion& question);
    void asked_for_recipient(Peer& peer, const ipc::QuotaAsked& asked);
    void asked_for_usage(Peer& peer, ipc::UsageWanted wanted);
    void ask_mailboxes(UsageQuestion& question);
    bool settle(UsageQuestion& question, util::Instant now);
    void settle_questions();
    // --- parked.cc ---------------------------------------------------------------------------------
    void park(const std::string& account, ipc::Channel& control, ipc::Packet& packet);
    void tell_watches(const std::string& account, ipc::Channel& control);
    void wake_watchers(const std::string& account, const std::vector<std::uint64_t>& mailboxes);
    void stirred(std::uint64_t number);
    void wake(ParkedSession& session);
    void wake_soon(const std::string& account, const std::function<bool(const ParkedSession&)>& is_meant);
    void queue_waking(ParkedSession& session);
    void serve_waking();
    void resume_waking_of(const std::string& account);
    bool give_back_place(ParkedSession& session);
    void resume(ParkedSession& session);
    void try_again(ParkedSession& session, util::Duration delay);
    void hand_back(Order& order, ipc::Channel& control);
    void resumed(std::uint64_t number);
    void not_resumed(std::uint64_t number, bool for_good, std::string_view why);
    void end_parked(ParkedSession& session, std::string_view last_words, std::string_view why);
    std::size_t end_parked(const ipc::EndSessions& order, const std::string& account);
    void watch_parked();
    void parked_due();
    void end_all_parked();

    void take_back(const std::string& account, ipc::Channel& control, ipc::Packet& packet);

    void tell_who(ipc::Channel& channel) const;
    void end_sessions(ipc::Channel& channel, const ipc::EndSessions& order);
    std::size_t end_beginning(const ipc::EndSessions& order);
    static bool was_ended(const Ticket& ticket, const ipc::TicketRedeemed& answer);
    void told(const std::string& account, pid_t pid, ipc::Packet& packet);
    bool told_at_any_time(const std::string& account, pid_t pid, ipc::Packet& packet);
    bool told_of_guests(const std::string& account, ipc::Packet& packet);
    bool told_of_filling(const std::string& account, ipc::Packet& packet);
    void give_filling_turns();
    void take_late_fillings();
    void set_shares(const std::string& owner, std::vector<std::string> identifiers);
    void open_guest(const std::string& account, const ipc::OpenGuest& wanted);
    std::size_t change_groups(const std::string& guest);
    void tell_sharers(const std::string& account, const ipc::AskSharers& wanted);
    void go_on_telling_sharers(const std::string& account);
    bool has_share_of_waiting(const Order& order) const;
    void control_lost(const std::string& account, const util::Error& error);
    void gone(const std::string& account);
    void hear_last_words(const std::string& account);
    void retire(const std::string& account);
    void forget_control(const std::string& account);
    void sweep();
    void watch_time();
    void watch_starts();
    void exited(pid_t pid, int status);
    void note_failure(const std::string& account, Life& life);

    // expiry.cc
    void open_user_session(Peer& peer, ipc::Packet& packet);
    void expire_asked(Peer& peer, ipc::Packet& packet);
    void hand_over_expiry(Order& order, ipc::Channel& control);
    void expired(const std::string& account, const ipc::MailExpired& answer);
    void settle_expiry(pid_t pid);
    void end_expiry(const Expiring& expiring, ipc::MailExpired answer);
    void plan_expiry(util::Duration latest);
    void expire_next();
    void end_round();
    bool has_mail(const std::string& account) const;

    util::EventLoop& loop_;
    Settings settings_;
    Launcher& launcher_;
    FindAccount find_account_;
    ListAccounts list_accounts_;
    Roster roster_;
    Visitors visitors_;
    Shares shares_;
    FillingTurns filling_turns_;
    Parking parking_;
    std::deque<std::uint64_t> waking_;   // parked sessions that wait until a process may be started for them
    std::size_t starting_ = 0;           // those for which one is, until they are gone on with
    bool serving_waking_ = false;
    util::Timer parked_timer_;
    util::Instant parked_timer_at_ = util::Instant::max();
    std::uint64_t next_id_ = 1;
    std::unordered_map<std::uint64_t, Peer> peers_;
    std::unordered_map<std::string, std::unique_ptr<ipc::Channel>> controls_;   // by account
    std::unordered_map<std::string, SharersTold> sharers_told_;   // by account
    std::deque<Order> waiting_;
    std::map<std::uint64_t, Handed> handed_;   // by the number in NewSession
    std::map<std::uint64_t, Expiring> expiring_;   // by the number in ExpireMail
    std::vector<std::string> to_expire_;           // users that the round has not come to yet
    std::uint64_t round_messages_ = 0;
    std::map<std::uint64_t, Ticket> tickets_;
    std::unique_ptr<ipc::Channel> auth_;
    std::unordered_map<pid_t, Life> lives_;
    std::unordered_map<pid_t, util::Instant> leaving_until_;
    Failures failures_;
    NoQuotas no_quotas_;
    Quotas* quotas_ = &no_quotas_;
    Ledger ledger_;
    std::map<std::string, std::uint64_t> domains_seen_;   // the version of the accounts then
    std::unordered_map<pid_t, AccountSocket> sockets_;
    std::set<std::string> learning_;   // accounts whose mailboxes were started only to say what they hold
    std::deque<RecipientQuestion> recipients_;
    std::deque<RoomQuestion> rooms_;
    std::deque<UsageQuestion> usage_questions_;
    bool settling_ = false;
    std::size_t receivers_ = 0;
    LogIns log_ins_;   // by POP3
    std::function<void()> done_;
    bool stopping_ = false;
    util::Timer sweep_timer_;
    util::Timer start_timer_;
    util::Timer shares_timer_;
    util::Timer filling_timer_;      // when somebody has had a turn too long
    util::Timer expiry_timer_;       // the next round, or the next user of one
};

}  // namespace usher
