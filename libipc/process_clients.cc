// The process skeleton: clients, and what master(8) says meanwhile.
#include "libipc/process_state.h"

#include "libipc/connection.h"
#include "libutil/log.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace server {

namespace {

// How long a peer that passes a client on may take to do so.
constexpr auto pass_timeout = std::chrono::seconds(5);
// Between two looks whether descriptors are free.
constexpr auto pause_without_descriptors = std::chrono::seconds(1);

template <typename Message>
void tell_master(int control, const Message& message)
{
    std::vector<int> descriptors;
    std::string bytes = ipc::encode(message, descriptors);
    // Master gone shows as the end of the control connection; nothing is lost with this record.
    (void)ipc::send_packet(control, bytes, descriptors, MSG_DONTWAIT);
}

util::Result<void> watch(int epoll, int fd, std::uint32_t events)
{
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        return util::system_error("epoll_ctl", errno);
    return {};
}

// Errors of accept(2) that are a client's end and not ours (see its manual page, "Error handling").
bool is_lost_client(int code)
{
    switch (code) {
    case EAGAIN:
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case EPERM:
    case EINVAL:  // master(8) closed the service: its message is on the way
        return true;
    default:
        return false;
    }
}

}  // namespace

void Process::State::tell_all_busy()
{
    if (scoreboard.is_full() || scoreboard.any_free())
        return;
    if (channel)
        channel->send(AllBusy{});
    else
        tell_master(control.get(), AllBusy{});
}

util::Result<bool> Process::State::peer_permitted(const util::sys::PeerCredentials& peer) const
{
    if (anybody || peer.uid == 0 || std::ranges::find(permitted, peer.uid) != permitted.end())
        return true;
    util::log::warning("refused a connection to ", arguments.service, " from uid=", peer.uid, " pid=", peer.pid);
    return false;
}

// A file of its own, so that giving it up helps against the system's limit, too.
void Process::State::keep_spare()
{
    if (!spare.valid())
        spare.reset(::eventfd(0, EFD_CLOEXEC));
}

// The client gets a text and the end of its connection instead of a long wait.  Temporary, Error::code
// EMFILE or ENFILE, when even that cannot be: it goes on waiting.
util::Result<void> Process::State::turn_away(int listener, int code)
{
    shortage.begin(code, "clients are turned away, or wait");
    spare.reset();
    util::UniqueFd client(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client.valid())
        code = errno;
    else if (!farewell.empty())
        (void)::send(client.get(), farewell.data(), farewell.size(), MSG_NOSIGNAL);
    bool done = client.valid() || is_lost_client(code);
    client.reset();
    keep_spare();
    return done ? util::Result<void>() : util::system_error("accept", code);
}

util::Result<std::optional<Client>> Process::State::accept(int listener)
{
    Client client;
    client.address_size = sizeof client.address;
    // A worker's passed clients begin with a wait for their descriptor, so with a blocking socket.
    bool passed = arguments.type == "pass";
    int flags = SOCK_CLOEXEC | (nonblocking_clients && !passed ? SOCK_NONBLOCK : 0);
    client.fd.reset(::accept4(listener, reinterpret_cast<sockaddr*>(&client.address), &client.address_size, flags));
    if (!client.fd.valid()) {
        int code = errno;
        if (is_lost_client(code))
            return std::optional<Client>();
        if (!util::sys::is_descriptor_shortage(code))
            return util::system_error("accept", code);
        TRY(turn_away(listener, code));
        return std::optional<Client>();
    }
    shortage.end();
    keep_spare();
    if (arguments.type == "inet")
        return std::optional<Client>(std::move(client));
    client.peer = TRY(util::sys::peer_credentials(client.fd.get()));
    if (!TRY(peer_permitted(client.peer)))
        return std::optional<Client>();
    if (passed)
        return accept_passed(std::move(client.fd), client.peer);
    return std::optional<Client>(std::move(client));
}

util::Result<std::optional<Client>> Process::State::accept_passed(util::UniqueFd connection,
                                                                  const util::sys::PeerCredentials& peer) const
{
    ipc::Connection sender(std::move(connection));
    TRY(sender.set_timeout(pass_timeout));
    auto packet = ipc::receive_packet(sender.fd());
    // A cut one is lost: there is nobody to answer, and the client sees its connection closed.
    if (packet && *packet && (*packet)->cut)
        packet = ipc::cut_error();
    if (!packet || !*packet || (*packet)->descriptors.size() != 1) {
        util::log::warning("uid=", peer.uid, " pid=", peer.pid, " passed no client on: ",
                           packet ? "no descriptor came" : packet.error().text);
        return std::optional<Client>();
    }
    Client client;
    client.peer = peer;
    client.fd = std::move((*packet)->descriptors.front());
    client.address_size = sizeof client.address;
    if (::getpeername(client.fd.get(), reinterpret_cast<sockaddr*>(&client.address), &client.address_size) < 0)
        return std::optional<Client>();  // gone meanwhile
    TRY(util::sys::set_nonblocking(client.fd.get(), nonblocking_clients));
    return std::optional<Client>(std::move(client));
}

util::Result<std::optional<Client>> Process::accept(int listener) { return state_->accept(listener); }
void Process::set_farewell(std::string text) { state_->farewell = std::move(text); }

// --- workers -------------------------------------------------------------------------------------

bool Process::State::hear_master()
{
    bool woken = false;
    for (;;) {
        auto packet = ipc::receive_packet(control.get(), MSG_DONTWAIT);
        if (!packet) {
            if (packet.error().code == EAGAIN)
                return woken;
            stopped = true;
            return woken;
        }
        if (!*packet) {  // master is gone
            stopped = true;
            return woken;
        }
        std::string_view name = (*packet)->name();
        if (name == Wake::message_name)
            woken = true;
        else
            stopped = true;  // Stop; and for the rest a fresh process is the simplest answer
    }
}

bool Process::wait_for(int fd, util::Duration timeout)
{
    // The signal is let in by ppoll only: one that came just before would not end the wait.
    sigset_t stop, before;
    ::sigemptyset(&stop);
    ::sigaddset(&stop, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &stop, &before);
    auto deadline = util::Deadline::in(timeout);
    int count = -1;
    do {
        if (stop_requested())
            break;
        int left = deadline.poll_milliseconds();
        timespec time{.tv_sec = left / 1000, .tv_nsec = (left % 1000) * 1'000'000L};
        pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
        count = ::ppoll(&wanted, 1, &time, &before);
    } while (count < 0 && errno == EINTR);
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    return count > 0;
}

void Process::State::begin_client()
{
    scoreboard.set(facts.slot, Scoreboard::Busy);
    tell_all_busy();
    start_time();
}

void Process::State::start_time() const
{
    ::alarm(static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(*common.daemon_timeout).count()));
}

util::Result<void> Process::State::begin_waiting()
{
    waiter.reset(::epoll_create1(EPOLL_CLOEXEC));
    if (!waiter.valid())
        return util::system_error("epoll_create1", errno);
    TRY(watch(waiter.get(), control.get(), EPOLLIN));
    for (int listener : listeners)
        TRY(watch(waiter.get(), listener, EPOLLIN | EPOLLEXCLUSIVE));
    keep_spare();
    tell_master(control.get(), Ready{});
    return {};
}

void Process::renew_time()
{
    if (!stop_requested())
        state_->start_time();
}

void Process::note(std::string_view text) { state_->scoreboard.set_note(state_->facts.slot, text); }

util::Result<std::optional<Client>> Process::next_client()
{
    State& state = *state_;
    note({});
    if (state.waiter.valid())
        ::alarm(0);
    else
        TRY(state.begin_waiting());
    auto leave = [&]() -> util::Result<std::optional<Client>> {
        state.scoreboard.set(state.facts.slot, Scoreboard::Busy);  // nobody may count on this one
        return std::optional<Client>();
    };
    if (state.used >= *state.common.max_use || stop_requested())
        return leave();
    state.scoreboard.set(state.facts.slot, Scoreboard::Idle);
    auto deadline = util::Deadline::in(*state.common.max_idle);
    for (;;) {
        epoll_event events[8];
        int count = ::epoll_wait(state.waiter.get(), events, 8, deadline.poll_milliseconds());
        if (stop_requested() || (count < 0 && errno != EINTR))
            return leave();
        if (count == 0 && deadline.passed())
            return leave();
        // Master first: who is told to stop leaves the client to others.
        bool woken = false;
        for (int i = 0; i < count; ++i) {
            if (events[i].data.fd == state.control.get())
                woken = state.hear_master();
        }
        if (state.stopped)
            return leave();
        if (woken) {
            state.begin_client();
            return std::optional<Client>(Client{});
        }
        for (int i = 0; i < count; ++i) {
            if (events[i].data.fd == state.control.get())
                continue;
            auto client = state.accept(events[i].data.fd);
            if (!client && util::sys::is_descriptor_shortage(client.error().code)) {
                // Another process may serve the client meanwhile; master is heard in the next round.
                wait_for(state.control.get(), pause_without_descriptors);
                break;
            }
            if (!client)
                return client;
            if (!*client)
                continue;
            ++state.used;
            state.begin_client();
            return client;
        }
    }
}

// --- multiplexers ----------------------------------------------------------------------------------

void Process::State::stop_multiplexer()
{
    if (stopped)
        return;
    stopped = true;
    scoreboard.set(facts.slot, Scoreboard::Busy);
    notifications.stop();
}

// Told by master, or by its death.
void Process::State::terminate_multiplexer()
{
    end_in_time();
    stop_multiplexer();
    if (notifications.terminate)
        notifications.terminate();
}

void Process::State::hear(ipc::Packet& packet)
{
    std::string_view name = packet.name();
    if (name == Stop::message_name) {
        stop_multiplexer();
    } else if (name == Wake::message_name) {
        if (notifications.wake)
            notifications.wake();
    } else if (name == Reconfigure::message_name) {
        if (notifications.reconfigure)
            notifications.reconfigure();
    } else if (name == NewCertificates::message_name && packet.cut) {
        util::log::warning("new certificates cannot be taken: ", ipc::cut_error().text);
        channel->send(CertificatesMissed{});
    } else if (name == NewCertificates::message_name) {
        auto message = ipc::decode<NewCertificates>(packet);
        if (!message || !util::sys::is_sealed(message->content.get())) {
            util::log::warning("master sent certificates that cannot be used");
            return;
        }
        certificates = std::move(message->content);
        if (notifications.certificates) {
            auto pem = certificates_text();
            if (pem)
                notifications.certificates(pem.take());
            else
                util::log::warning("new certificates: ", pem.error().text);
        }
    }
}

util::Result<void> Process::attach(util::EventLoop& loop, Reload reload, Notifications notifications)
{
    State* state = state_.get();
    CHECK(notifications.stop);
    state->notifications = std::move(notifications);
    state->nonblocking_clients = true;
    TRY(util::sys::set_nonblocking(state->control.get(), true));
    state->keep_spare();
    ipc::Channel::Events events{
        .received = [state](ipc::Packet& packet) { state->hear(packet); },
        .closed = [state](const util::Error&) {
            state->orphaned = true;
            state->terminate_multiplexer();
        },
    };
    state->channel = std::make_unique<ipc::Channel>(loop, std::move(state->control), std::move(events));
    state->termination = util::SignalWatch(loop, SIGTERM, [state] { state->terminate_multiplexer(); });
    state->scoreboard.set(state->facts.slot, Scoreboard::Idle);
    state->channel->send(Ready{.reload = reload});
    return {};
}

void Process::set_busy(bool busy)
{
    State& state = *state_;
    if (state.stopped)
        return;
    state.scoreboard.set(state.facts.slot, busy ? Scoreboard::Busy : Scoreboard::Idle);
    if (busy)
        state.tell_all_busy();
}

}  // namespace server
