// Usher: sessions that are parked, woken, and ended while they are parked.
//
// Processes are started for sessions that wake only Settings::waking_limit at a time, so that news for thousands
// do not become thousands of processes at once; who has a process gets its session at once, whoever waits.
#include "libutil/log.h"
#include "usher/usher.h"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

namespace usher {

using State = ParkedSession::State;

namespace {

constexpr util::Duration longest_rest{std::int64_t(24 * 3600) * 1'000'000};
constexpr util::Duration wake_retry_delay{2'000'000};

enum class Client : unsigned char { Silent, Speaks, Gone };

// Looks without taking.
Client look(int connection)
{
    char byte;
    auto count = ::recv(connection, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count > 0)
        return Client::Speaks;
    return count < 0 && (errno == EAGAIN || errno == EINTR) ? Client::Silent : Client::Gone;
}

}  // namespace

void Usher::park(const std::string& account, ipc::Channel& control, ipc::Packet& packet)
{
    auto order = packet.cut ? ipc::decode_cut<ipc::ParkSession>(packet) : ipc::decode<ipc::ParkSession>(packet);
    if (!order.ok())
        return control.fail(order.take_error());
    ipc::SessionParked answer{.session = order->session, .taken = false};
    auto life = lives_.find(roster_.pid_of(account));
    if (packet.cut) {
        util::log::warning("a session cannot be parked: ", ipc::cut_error().text);
    } else if (auto objection = Parking::objection(*order)) {
        return control.fail(util::invalid(util::concat("a session cannot be parked: ", *objection)));
    } else if (!stopping_ && life != lives_.end() && parking_.has_room(*order, settings_.parked_limit) &&
               visitors_.park(account, order->session)) {
        util::Instant now = util::now();
        auto due = std::clamp(util::Instant(util::Duration(order->deadline)), now, now + longest_rest);
        parking_.add(account, life->second.identity, order.take(), due);
        answer.taken = true;
        watch_parked();
    }
    control.send(answer);
}

// What the process that has just been started must look at.
void Usher::tell_watches(const std::string& account, ipc::Channel& control)
{
    auto watches = parking_.watches_of(account);
    for (auto begin = watches.begin(); begin != watches.end();) {
        auto end = watches.end() - begin > std::ptrdiff_t(ipc::max_watches) ? begin + ipc::max_watches : watches.end();
        ipc::WatchMailboxes some;
        some.watches.assign(begin, end);
        control.send(some);
        begin = end;
    }
}

void Usher::wake_watchers(const std::string& account, const std::vector<std::uint64_t>& mailboxes)
{
    auto is_meant = [&](const ParkedSession& session) {
        return std::any_of(mailboxes.begin(), mailboxes.end(), [&](std::uint64_t id) { return session.watches(id); });
    };
    if (!is_reachable(account))
        return wake_soon(account, is_meant);
    for (std::uint64_t number : parking_.of(account)) {
        // One that is woken may take others with it.
        ParkedSession* session = parking_.find(number);
        if (session && session->state == State::Parked && is_meant(*session))
            wake(*session);
    }
}

// In the loop's next round: who has let its process go may be about to start another one.
void Usher::wake_soon(const std::string& account, const std::function<bool(const ParkedSession&)>& is_meant)
{
    for (std::uint64_t number : parking_.of(account)) {
        ParkedSession* session = parking_.find(number);
        if (session->state != State::Parked || !is_meant(*session))
            continue;
        try_again(*session, util::Duration::zero());
    }
}

void Usher::stirred(std::uint64_t number)
{
    ParkedSession* session = parking_.find(number);
    if (!session)
        return;
    switch (look(session->order.client.get())) {
    case Client::Silent:
        return;
    case Client::Speaks:
        return wake(*session);
    case Client::Gone:
        return end_parked(*session, {}, "connection closed by the client");
    }
}

void Usher::wake(ParkedSession& session)
{
    parking_.wake(session);
    queue_waking(session);
    serve_waking();
}

void Usher::queue_waking(ParkedSession& session)
{
    if (is_reachable(session.account))
        return resume(session);
    if (!std::exchange(session.queued, true))
        waking_.push_back(session.number);
}

void Usher::serve_waking()
{
    if (std::exchange(serving_waking_, true))
        return;   // whoever is at it goes on
    while (!waking_.empty() && starting_ < settings_.waking_limit) {
        ParkedSession* session = parking_.find(waking_.front());
        waking_.pop_front();
        if (!session)
            continue;
        session->queued = false;
        // One that is to be tried again later comes here by itself.
        if (session->state == State::Waking && session->due == util::Instant::max())
            resume(*session);
    }
    serving_waking_ = false;
}

// There is a process now, whatever it was started for.
void Usher::resume_waking_of(const std::string& account)
{
    for (std::uint64_t number : parking_.of(account)) {
        ParkedSession* session = parking_.find(number);
        if (session && session->queued && session->state == State::Waking && session->due == util::Instant::max())
            resume(*session);
    }
}

bool Usher::give_back_place(ParkedSession& session)
{
    bool had_one = std::exchange(session.starts, false);
    starting_ -= had_one;
    return had_one;
}

void Usher::resume(ParkedSession& session)
{
    if (!session.over.empty())
        return end_parked(session, session.order.farewell, session.over);
    auto identity = find_account_(session.account);
    if (!identity.ok() && identity.error().kind == util::Kind::Temporary)
        return try_again(session, wake_retry_delay);
    if (!identity.ok() || !(*identity == session.identity))
        return end_parked(session, session.order.farewell, "the account has changed");
    session.state = State::Placed;
    session.starts = !is_reachable(session.account);
    starting_ += session.starts;
    Order order;
    order.account = session.account;
    order.parked = session.number;
    order.session.emplace();
    place(std::move(order));
}

// The client waits, or the news do.  Nothing is started from here.
void Usher::try_again(ParkedSession& session, util::Duration delay)
{
    give_back_place(session);
    parking_.wake(session);
    parking_.set_due(session, util::now() + delay);
    watch_parked();
}

// The mailbox process gets the connection; it stays here, too, until that has it for certain.
void Usher::hand_back(Order& order, ipc::Channel& control)
{
    ParkedSession* session = parking_.find(order.parked);
    const Visitors::Visitor* visitor = session ? visitors_.find(session->account, session->session) : nullptr;
    if (!visitor)
        return not_resumed(order.parked, true, "ended meanwhile");
    if (!session->over.empty())
        return try_again(*session, util::Duration::zero());
    session->state = State::Resuming;
    ipc::NewSession& given = *order.session;
    given.order = next_id_++;
    given.facts = visitor->facts;
    if (auto identity = find_account_(order.account); identity.ok())
        given.facts.groups = std::move(identity->groups);
    given.state = session->order.state;
    given.started = session->order.started;
    given.client = std::move(session->order.client);
    handed_[given.order] = {.peer = 0, .request = 0, .pid = roster_.pid_of(order.account), .parked = order.parked};
    roster_.session_ordered(order.account, util::now());
    control.send(given);
    session->order.client = std::move(given.client);
    if (control.is_open())
        return;
    // It was never there.
    handed_.erase(given.order);
    try_again(*session, util::Duration::zero());
}

void Usher::resumed(std::uint64_t number)
{
    ParkedSession* session = parking_.find(number);
    if (!session)
        return;
    give_back_place(*session);
    visitors_.unpark(session->account, session->session);
    parking_.remove(number);
    serve_waking();
}

void Usher::not_resumed(std::uint64_t number, bool for_good, std::string_view why)
{
    ParkedSession* session = parking_.find(number);
    if (!session)
        return;
    if (for_good)
        return end_parked(*session, session->order.farewell, why);
    try_again(*session, session->over.empty() ? wake_retry_delay : util::Duration::zero());
    serve_waking();
}

// The words leave if there is room for them: nobody waits for a client here.
void Usher::end_parked(ParkedSession& session, std::string_view last_words, std::string_view why)
{
    bool leaves_place = give_back_place(session);
    if (!last_words.empty())
        (void)::send(session.order.client.get(), last_words.data(), last_words.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    const Visitors::Visitor* visitor = visitors_.find(session.account, session.session);
    util::Instant started{util::Duration(session.order.started)};
    util::log::info(util::printable(session.session, 64), ": user=<", util::printable(session.account, 320), ">, client=",
                    util::printable(visitor ? visitor->facts.client_address : std::string(), 100), ", duration=",
                    util::format_delay(std::clamp(util::now() - started, util::Duration::zero(), longest_rest)),
                    ", status=closed (", why, ", while parked)");
    std::string account = session.account, name = session.session;
    parking_.remove(session.number);
    visitors_.ended(account, name);
    if (leaves_place)
        serve_waking();
}

// Those that an order to end sessions means; their number.
std::size_t Usher::end_parked(const ipc::EndSessions& order, const std::string& account)
{
    std::size_t count = 0;
    for (std::uint64_t number : parking_.of(account)) {
        ParkedSession* session = parking_.find(number);
        const Visitors::Visitor* visitor = session ? visitors_.find(account, session->session) : nullptr;
        if (!visitor || !Visitors::is_meant(*visitor, order))
            continue;
        ++count;
        // One that its process has been asked to take is ended there.
        auto control = controls_.find(account);
        if (session->state == State::Resuming && control != controls_.end()) {
            session->over = "ended by request";   // also if that process never has it
            control->second->send(ipc::EndSessions{account, session->session});
        } else {
            end_parked(*session, session->order.farewell, "ended by request");
        }
    }
    return count;
}

void Usher::watch_parked()
{
    util::Instant next = parking_.next_due();
    if (next < parked_timer_at_ || !parked_timer_.running()) {
        parked_timer_at_ = next;
        if (next != util::Instant::max())
            parked_timer_.start_at(next);
    }
}

void Usher::parked_due()
{
    parked_timer_at_ = util::Instant::max();
    for (std::uint64_t number : parking_.due(util::now())) {
        ParkedSession* session = parking_.find(number);
        if (!session)
            continue;   // another's end has made it go on, and it ended
        if (session->state == State::Parked) {
            end_parked(*session, session->order.late, "timeout");
        } else {
            parking_.set_due(*session, util::Instant::max());
            queue_waking(*session);
        }
    }
    serve_waking();
    watch_parked();
}

void Usher::end_all_parked()
{
    waking_.clear();
    for (std::uint64_t number : parking_.all())
        if (ParkedSession* session = parking_.find(number))
            end_parked(*session, session->order.farewell, "server shutting down");
}

}  // namespace usher
