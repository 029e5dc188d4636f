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
#include "usher/launcher.h"
#include "usher/roster.h"
#include "usher/visitors.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

namespace usher {

struct Settings {
    uid_t local_uid = 0;
    uid_t imap_uid = 0;
    uid_t pop3_uid = 0;
    uid_t administrator_uid = 0;      // tern who, tern kick
    uid_t minimum_uid = 1000;         // usher_minimum_uid
    bool own_uid = false;             // one uid for all: peers are told apart by what they ask
    std::size_t process_limit = 500;  // mailbox_process_limit
    std::string auth_socket;
    util::Duration order_timeout{10'000'000};   // waiting for room or for auth
    util::Duration exit_timeout{10'000'000};    // for a mailbox that was told to leave; then SIGKILL
    util::Duration last_exit_timeout{5'000'000};   // the same while usher itself stops
    util::Duration failure_pause{1'000'000};    // after a mailbox failed early, before its successor
    util::Duration failure_pause_limit{60'000'000};
};

// A mailbox that fails within this time of its start failed early.
constexpr util::Duration early_time{10'000'000};
// A mailbox may use an order for this long before another user's may evict it.
constexpr util::Duration tenure{100'000};
constexpr std::size_t max_waiting = 2000;   // orders that wait for room, or for the end of a pause
constexpr std::size_t max_tickets = 2000;   // sessions that wait for auth
// Orders that may wait in a mailbox's control socket: one that does not read them is ended.
constexpr std::size_t control_queue_limit = 256;

class Usher {
public:
    // The account by its name: NotFound, or Temporary when the accounts cannot be read.
    using FindAccount = std::function<util::Result<Identity>(std::string_view account)>;

    Usher(util::EventLoop& loop, Settings settings, Launcher& launcher, FindAccount find_account);

    // A new connection; `gone` is called when it is over.
    void accept(util::UniqueFd connection, std::function<void()> gone);
    // New settings from now on.
    void change(Settings settings);
    // SIGCHLD: takes in which mailboxes have exited.
    void reap();
    // Tells all mailboxes to leave, and calls `done` when none is left.
    void stop(std::function<void()> done);

    const Roster& roster() const { return roster_; }

private:
    enum Role : unsigned { Nobody = 0, Deliverer = 1, ImapDoor = 2, Pop3Door = 4, Administrator = 8 };
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
        util::Instant deadline{};   // once it waits
    };
    // A session that a mailbox process has been given and has not answered.
    struct Handed {
        std::uint64_t peer = 0;
        std::uint64_t request = 0;
        pid_t pid = 0;
    };
    struct Life {   // of a mailbox process
        util::Instant since{};
        bool ready = false;    // it has opened the store
        bool failed = false;   // and this is noted
        std::string reason;    // why it cannot, in its words
    };
    struct Ticket {
        std::uint64_t peer = 0;
        ipc::OpenSession wanted;
        util::Instant deadline;
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
    void hand_over(Order& order);
    void hand_over_session(Order& order, ipc::Channel& control);
    void session_taken(const std::string& account, const ipc::SessionTaken& answer);
    void settle_sessions(pid_t pid, const Life& life);
    void serve_waiting();
    void refuse(const Order& order, bool permanent, std::string text);
    void refuse(std::uint64_t peer, std::uint64_t request, bool permanent, std::string text);
    ipc::Channel* channel_of(std::uint64_t peer);

    void tell_who(ipc::Channel& channel) const;
    void end_sessions(ipc::Channel& channel, const ipc::EndSessions& order);
    void told(const std::string& account, ipc::Packet& packet);
    void control_lost(const std::string& account, const util::Error& error);
    void retire(const std::string& account);
    void sweep();
    void watch_time();
    void exited(pid_t pid, int status);
    void note_failure(const std::string& account, Life& life);

    util::EventLoop& loop_;
    Settings settings_;
    Launcher& launcher_;
    FindAccount find_account_;
    Roster roster_;
    Visitors visitors_;
    std::uint64_t next_id_ = 1;
    std::unordered_map<std::uint64_t, Peer> peers_;
    std::unordered_map<std::string, std::unique_ptr<ipc::Channel>> controls_;   // by account
    std::deque<Order> waiting_;
    std::map<std::uint64_t, Handed> handed_;   // by the number in NewSession
    std::map<std::uint64_t, Ticket> tickets_;
    std::unique_ptr<ipc::Channel> auth_;
    std::unordered_map<pid_t, Life> lives_;
    std::unordered_map<pid_t, util::Instant> leaving_until_;
    Failures failures_;
    std::function<void()> done_;
    bool stopping_ = false;
    util::Timer sweep_timer_;
};

}  // namespace usher
