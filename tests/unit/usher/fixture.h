// Usher in the test's own loop, with mailboxes that are children of the test and do what their
// account's name says.
#pragma once

#include "libipc/connection.h"
#include "tests/unit/suite.h"
#include "usher/usher.h"

#include <csignal>
#include <map>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace test {

// A child in the place of mailbox(8).  What it does is in its account's name:
//   "plain..."    says its account on each connection it is given; leaves when control closes
//   "stubborn..." never leaves
//   "garbage..."  sends garbage on its control socket after the first order
//   "deaf..."     never reads its control socket
//   "dies..."     ends with a failure at the first order, before it says that it is up
//   "crashes..."  the same, after it has said so
//   "refuses..."  takes no session
//   "busy..."     says that it holds a session after each order
//   "parks..."    parks each session, which watches mailbox 7; of one that was parked it says the state; says that
//                 something is new in mailbox N when it is asked for deliveries and its account ends with "-N"
//   "parks-late"  has news when it leaves, of which it cannot tell any more
//   "idle..."     wants to leave at once, and after each order
//   "test..."     does nothing: the test has its end of the control socket (ForkLauncher::controls)
[[noreturn]] inline void be_mailbox(const std::string& account, int control)
{
    auto is = [&](std::string_view kind) { return account.starts_with(kind); };
    std::vector<util::UniqueFd> kept;
    std::uint64_t seen = 0;
    auto send = [&](const auto& message) {
        std::vector<int> descriptors;
        std::string bytes = ipc::encode(message, descriptors);
        (void)ipc::send_packet(control, bytes, descriptors);
    };
    if (!is("dies") && !is("deaf"))
        send(ipc::SessionCount{});
    if (is("idle"))
        send(ipc::Leaving{.orders_seen = 0});
    for (;;) {
        if (is("deaf"))
            ::pause();
        auto packet = ipc::receive_packet(control);
        if (!packet.ok() || !*packet) {
            while (is("stubborn"))
                ::pause();
            ::_exit(is("parks-late") ? ipc::untold_news_status : 0);
        }
        if (is("dies") || is("crashes"))
            ::_exit(9);
        ++seen;
        util::UniqueFd given;
        if (auto deliveries = ipc::decode<ipc::NewDeliveries>(**packet); deliveries.ok())
            given = std::move(deliveries->connection);
        else if (auto session = ipc::decode<ipc::NewSession>(**packet); session.ok()) {
            send(ipc::SessionTaken{.order = session->order, .refusal = is("refuses") ? "no room" : ""});
            if (is("parks") && session->state.empty()) {
                ipc::ParkSession order;
                order.session = session->facts.session;
                order.client = std::move(session->client);
                order.state = util::concat("state of ", order.session);
                order.watches.push_back({7, 1});
                order.late = "late";
                order.farewell = "farewell";
                order.deadline = util::now().time_since_epoch().count() + (is("parks-shortly") ? 50'000 : 60'000'000);
                send(order);
                auto answer = ipc::receive_packet(control);
                send(ipc::SessionCount{});
                continue;
            }
            if (is("parks")) {
                (void)::send(session->client.get(), session->state.data(), session->state.size(), MSG_NOSIGNAL);
                kept.push_back(std::move(session->client));
                send(ipc::SessionCount{});
                continue;
            }
            if (!is("refuses"))
                given = std::move(session->client);
        } else if (auto expire = ipc::decode<ipc::ExpireMail>(**packet); expire.ok()) {
            send(ipc::MailExpired{
                .order = expire->order, .messages = expire->rules.size(), .failure = is("refuses") ? "no" : ""});
            continue;
        }
        if (is("parks") && account.find('-') != std::string::npos)
            send(ipc::WakeSessions{
                .mailboxes = {util::parse_unsigned(account.substr(account.rfind('-') + 1), 100).value_or(0)}});
        (void)::send(given.get(), account.data(), account.size(), MSG_NOSIGNAL);
        kept.push_back(std::move(given));
        if (is("garbage"))
            (void)ipc::send_packet(control, "garbage", {});
        if (is("busy"))
            send(ipc::SessionCount{.sessions = 1});
        if (is("idle"))
            send(ipc::Leaving{.orders_seen = seen});
    }
}

class ForkLauncher : public usher::Launcher {
public:
    util::Result<usher::Launched> launch(const usher::Identity& identity, usher::Layout layout) override
    {
        if (fails > 0 && fails-- > 0)
            return util::temporary("no process to be had");
        ++launched;
        auto pair = TRY(util::sys::socket_pair(SOCK_SEQPACKET));
        if (small_buffers) {
            int size = 1;
            ::setsockopt(pair.first.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        }
        auto starts = TRY(util::sys::socket_pair(SOCK_STREAM));
        pid_t pid = ::fork();
        if (pid == 0) {
            ::signal(SIGCHLD, SIG_DFL);
            bool played = identity.account.starts_with("test");
            int control = played ? -1 : pair.second.release();
            // What else the test has open would keep its peers from seeing an end.
            for (int fd = 3; fd < 1024; ++fd) {
                if (fd != control)
                    ::close(fd);
            }
            while (played)
                ::pause();
            be_mailbox(identity.account, control);
        }
        pids.push_back(pid);
        // Until the child has closed what the test has open, too, no end of it is seen.
        char none = 0;
        starts.second.reset();
        (void)::recv(starts.first.get(), &none, 1, 0);
        if (identity.account.starts_with("test"))
            controls[identity.account] = ipc::Connection(std::move(pair.second));
        layouts.push_back(layout);
        return usher::Launched{.pid = pid, .control = std::move(pair.first), .forked = shares && layout == usher::Layout::Any};
    }

    ~ForkLauncher() override
    {
        for (pid_t pid : pids)
            ::kill(pid, SIGKILL);
    }

    bool shares = false;   // says of each process that may be so that a fork server has made it
    bool small_buffers = false;   // for what usher tells processes
    std::size_t fails = 0;
    std::size_t launched = 0;
    std::vector<usher::Layout> layouts;
    std::vector<pid_t> pids;
    std::map<std::string, ipc::Connection> controls;
};

inline void say(const util::UniqueFd& to, std::string_view text)
{
    ck_assert(::send(to.get(), text.data(), text.size(), MSG_NOSIGNAL) == ssize_t(text.size()));
}

class House {
public:
    explicit House(usher::Settings wanted = own_settings())
        : loop(util::EventLoop::create().take()),
          usher(loop, std::move(wanted), launcher, [this](std::string_view account) { return find(account); },
                [this]() -> util::Result<std::vector<std::string>> { return ++rounds, accounts; }),
          children(loop, SIGCHLD, [this] { usher.reap(); })
    {
    }

    static usher::Settings own_settings()
    {
        usher::Settings settings;
        settings.own_uid = true;
        settings.failure_pause = std::chrono::milliseconds(0);
        settings.auth_socket = "/nonexistent/auth";
        return settings;
    }

    util::Result<usher::Identity> find(std::string_view account) const
    {
        if (account.starts_with("nobody") || account == removed)
            return util::not_found("no such account");
        if (account.starts_with("broken"))
            return util::temporary("the accounts cannot be read");
        uid_t uid = account.starts_with("root") ? 0 : account.starts_with("low") ? 999 : usual_uid;
        return usher::Identity{.account = std::string(account),
                               .uid = uid,
                               .gid = uid,
                               .home = account.ends_with("unused") ? "/nonexistent" : home,
                               .groups = groups};
    }

    std::string removed;          // an account that is not there any more
    std::vector<std::string> groups;   // of every account
    uid_t usual_uid = 100'000;
    std::string home = "/nonexistent";
    std::vector<std::string> accounts;   // for expiry
    int rounds = 0;

    ipc::Connection peer()
    {
        auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
        OK(pair);
        usher.accept(std::move(pair->first), [this] { ++gone; });
        return ipc::Connection(std::move(pair->second));
    }

    // The next record on a connection, while the loop runs; nothing when it was closed.
    std::optional<ipc::Packet> receive(int fd)
    {
        for (util::Deadline limit = util::Deadline::in(std::chrono::seconds(100)); !limit.passed();) {
            auto packet = ipc::receive_packet(fd, MSG_DONTWAIT);
            if (packet.ok())
                return packet.take();
            if (packet.error().code != EAGAIN)
                return {};
            loop.run_for(std::chrono::milliseconds(5));
        }
        ck_abort_msg("nothing came");
    }

    void until(const std::function<bool()>& condition)
    {
        for (util::Deadline limit = util::Deadline::in(std::chrono::seconds(100)); !limit.passed();) {
            if (condition())
                return;
            loop.run_for(std::chrono::milliseconds(5));
        }
        ck_abort_msg("it did not become so");
    }

    // Orders deliveries: the connection, or nothing and the refusal in `failure`.
    util::UniqueFd open(ipc::Connection& from, std::string_view account)
    {
        ipc::OpenMailbox wanted;
        wanted.request = ++request;
        wanted.account = account;
        OK(from.send(wanted));
        auto packet = receive(from.fd());
        ck_assert(packet.has_value());
        if (packet->name() == ipc::MailboxFailed::message_name) {
            auto refusal = ipc::decode<ipc::MailboxFailed>(*packet);
            OK(refusal);
            EQ(refusal->request, request);
            failure = refusal.take();
            return {};
        }
        auto opened = ipc::decode<ipc::MailboxOpened>(*packet);
        OK(opened);
        EQ(opened->request, request);
        return std::move(opened->connection);
    }

    // A door asks for a session: the client's end of its connection.
    util::UniqueFd ask(ipc::Connection& door, ipc::SessionFacts facts)
    {
        auto pair = util::sys::socket_pair(SOCK_STREAM);
        OK(pair);
        ipc::OpenSession wanted;
        wanted.request = ++request;
        wanted.ticket = "ticket";
        wanted.facts = std::move(facts);
        wanted.client = std::move(pair->first);
        OK(door.send(wanted));
        return std::move(pair->second);
    }

    // What the mailbox at the other end says.
    std::string word(const util::UniqueFd& connection)
    {
        auto packet = receive(connection.get());
        return packet ? packet->bytes : std::string();
    }

    util::EventLoop loop;
    ForkLauncher launcher;
    usher::Usher usher;
    util::SignalWatch children;
    std::uint64_t request = 0;
    std::size_t gone = 0;
    ipc::MailboxFailed failure;
};

// With processes that the test plays, such as one who shares with another.
struct Neighbours : House {
    explicit Neighbours(usher::Settings settings) : House(std::move(settings)), local(peer()) {}
    ipc::Connection& play(const std::string& account)
    {
        ipc::OpenMailbox wanted;
        wanted.account = account;
        OK(local.send(wanted));
        until([&] { return launcher.controls.contains(account); });
        OK(launcher.controls[account].send(ipc::SessionCount{}));
        return launcher.controls[account];
    }
    template <typename Message>
    Message next(ipc::Connection& of)
    {
        for (;;) {
            auto packet = receive(of.fd());
            ck_assert(packet.has_value());
            if (packet->name() == Message::message_name)
                return ipc::decode<Message>(*packet).take();
        }
    }
    ipc::Connection local;
};

}  // namespace test
