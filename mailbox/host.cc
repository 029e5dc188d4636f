// The loop of a mailbox process.
#include "mailbox/host.h"

#include "libipc/connection.h"
#include "libipc/submission.h"
#include "libutil/log.h"
#include "libutil/memory.h"

#include <algorithm>
#include <sys/socket.h>

namespace mailbox {

namespace {

// After this long without work the store may tidy up and memory goes back to the kernel.
constexpr util::Duration quiet_time{300'000};
// A store that is never quiet is tidied up nevertheless.
constexpr util::Duration longest_untidy_time{10'000'000};
// So long without work, and freed memory goes back.
constexpr util::Duration memory_return_time{5'000'000};
// Steps of the store's idle-time work (store.h) between two looks at the descriptors: at most a
// megabyte of the log, some milliseconds.
constexpr std::uint64_t housekeeping_slice = 4096;

// In the place of the greeting, which says that the log-in was successful: "TAG OK ..." for IMAP.
void turn_away(const ipc::NewSession& order)
{
    std::string text;
    if (order.facts.service == ipc::Service::Imap)   // RFC 5530 §3
        text = util::concat(util::split_first(order.greeting, ' ').first,
                            " NO [LIMIT] Too many sessions of this user\r\n* BYE Too many sessions\r\n");
    else   // RFC 2449 §8.1.2
        text = "-ERR [IN-USE] Too many sessions of this user\r\n";
    (void)::send(order.client.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

Host::Host(util::EventLoop& loop, util::UniqueFd control, const ipc::MailboxSettings& settings,
           store::Store& store, Renderer render, SessionFactory make_session)
    : loop_(loop), settings_(settings), store_(store), make_session_(std::move(make_session)),
      deliveries_(store, render, settings.message_size_limit ? settings.message_size_limit + ipc::trace_room : 0),
      control_(loop, std::move(control),
               {.received = [this](ipc::Packet& packet) { ordered(packet); },
                .closed = [this](const util::Error&) { leave("server shutting down"); }}),
      durable_(store.durable()), last_activity_(util::now()), last_need_(last_activity_),
      untidy_since_(last_activity_),
      store_watch_(loop, store.event_fd(), util::Watch::Read, [this](unsigned) {
          auto collected = store_.collect();
          if (chores_ == store::Chores::Waiting)
              chores_ = store::Chores::More;
          if (!collected.ok()) {
              failure_ = collected.take_error();
              loop_.stop();
          }
      }),
      flush_timer_(loop, [this] {
          flush_at_ = util::Instant::max();
          store_.flush(true);
      }),
      quiet_timer_(loop, [this] { quiet(); }),
      trim_timer_(loop, [this] { trim(); }),
      idle_timer_(loop, [] {}),   // turn() looks whether it is time
      leave_timer_(loop, [] {})
{
    store_.on_change([this](store::MailboxId id) {
        if (std::find(changed_.begin(), changed_.end(), id) == changed_.end())
            changed_.push_back(id);
    });
    control_.send(ipc::SessionCount{});   // the store is open: usher knows that this one has started
    idle_timer_.start(util::Duration(settings_.idle_time));
    quiet_timer_.start(quiet_time);   // what opening left to do
}

Host::~Host()
{
    store_.on_change({});
}

// --- orders --------------------------------------------------------------------------------------

void Host::ordered(ipc::Packet& packet)
{
    active_ = true;
    // No work: it does not keep the process.
    if (packet.name() == ipc::EndSessions::message_name) {
        auto order = ipc::decode<ipc::EndSessions>(packet);
        if (order.ok())
            return end_sessions(order->session);
        return control_.fail(order.take_error());
    }
    asked_to_leave_ = false;
    ++orders_seen_;
    if (packet.cut)
        return refuse_cut(packet);
    if (packet.name() == ipc::NewDeliveries::message_name) {
        auto order = ipc::decode<ipc::NewDeliveries>(packet);
        if (order.ok() && order->connection.valid())
            return add_deliverer(std::move(order->connection));
    } else if (packet.name() == ipc::NewSession::message_name) {
        auto order = ipc::decode<ipc::NewSession>(packet);
        if (order.ok() && order->client.valid())
            return add_client(*order);
    }
    util::log::warning("an order that cannot be understood: ", util::printable(packet.name(), 40));
}

// A connection for deliveries is closed by that, and local(8) asks for another; a client is the door's
// still, which is told to turn it away.
void Host::refuse_cut(ipc::Packet& packet)
{
    std::string reason = ipc::cut_error().text;
    util::log::warning("an order cannot be taken: ", reason);
    if (auto order = ipc::decode_cut<ipc::NewSession>(packet); order.ok())
        answer(*order, reason);
}

void Host::answer(const ipc::NewSession& order, std::string refusal)
{
    bool refused = !refusal.empty();
    if (order.order != 0)
        control_.send(ipc::SessionTaken{.order = order.order, .refusal = std::move(refusal)});
    if (refused)
        tell_end(order.facts.session);
    // usher has counted the session since it ordered it.
    sessions_told_.reset();
}

void Host::add_deliverer(util::UniqueFd connection)
{
    if (deliverers_.size() >= max_deliverers) {
        util::log::warning("more than ", max_deliverers, " connections deliver at a time: one refused");
        return;
    }
    auto deliverer = std::make_unique<Deliverer>();
    Deliverer* self = deliverer.get();
    self->channel = std::make_unique<ipc::Channel>(
        loop_, std::move(connection),
        ipc::Channel::Events{.received = [this, self](ipc::Packet& packet) { deliver(*self, packet); },
                             .closed = [self](const util::Error& error) {
                                 self->gone = true;
                                 if (error.kind == util::Kind::Invalid)
                                     util::log::warning("a delivery connection was dropped: ", error.text);
                             }});
    self->channel->send(ipc::DeliveriesWanted{});
    deliverers_.push_back(std::move(deliverer));
}

void Host::add_client(ipc::NewSession& order)
{
    if (clients_.size() >= settings_.session_limit) {
        util::log::warning(order.facts.session, ": a session is refused: mailbox_session_limit is ",
                           settings_.session_limit, " for one user");
        answer(order, {});
        turn_away(order);
        return tell_end(order.facts.session);
    }
    auto session = make_session_(order.facts, store_);
    if (!session) {
        util::log::warning(order.facts.session, ": a session of a service that is not offered here");
        return answer(order, "this service is not offered");
    }
    answer(order, {});
    clients_.push_back(
        std::make_unique<Client>(loop_, std::move(order.client), std::move(order.facts), std::move(session)));
    clients_.back()->begin(order.greeting, order.pending);
}

// Empty: all of them.
void Host::end_sessions(const std::string& session)
{
    for (auto& client : clients_)
        if (session.empty() || client->session() == session)
            client->terminate("Session ended by the administrator");
}

void Host::tell_end(const std::string& session)
{
    if (!leaving_)
        control_.send(ipc::SessionEnded{session});
}

void Host::deliver(Deliverer& deliverer, ipc::Packet& packet)
{
    active_ = true;
    auto order = packet.cut ? ipc::decode_cut<ipc::Deliver>(packet) : ipc::decode<ipc::Deliver>(packet);
    if (!order.ok())
        return deliverer.channel->fail(order.take_error());
    auto answer = packet.cut ? Deliveries::Answer(Deliveries::refusal(order->delivery, ipc::cut_error())) : deliveries_.deliver(*order);
    if (auto* stored = std::get_if<ipc::DeliveryStored>(&answer)) {
        deliverer.pending = std::max(deliverer.pending, stored->lsn);
        // A duplicate's lsn may have been told as durable before this order came.
        if (stored->lsn <= deliverer.told)
            deliverer.told = stored->lsn - 1;
        deliverer.channel->send(*stored);
    } else {
        deliverer.channel->send(std::get<ipc::DeliveryRefused>(answer));
    }
}

// --- the turn --------------------------------------------------------------------------------------

util::Result<void> Host::run()
{
    while (!loop_.stopping()) {
        if (has_work())
            loop_.run_ready();
        else
            loop_.run_once();
        turn();
    }
    if (failure_)
        return std::move(*failure_);
    return store_.sync();   // what the last sessions did
}

void Host::turn()
{
    if (failure_)
        return;
    give_slice();
    pass_changes();
    store_.flush(false);
    watch_flush();
    tell_durable();
    for (auto& client : clients_)
        client->settle();
    bury();
    count_sessions();
    if (!leaving_)
        return consider_idleness();
    if (clients_.empty() || util::now() >= leave_at_)
        loop_.stop();
}

void Host::consider_idleness()
{
    util::Instant now = util::now();
    bool active = std::exchange(active_, false);
    for (auto& client : clients_)
        active |= client->was_active();
    if (active) {
        last_activity_ = now;
        if (!untidy_)
            untidy_since_ = now;
        untidy_ = true;
        if (!quiet_timer_.running())
            quiet_timer_.start(quiet_time);
    }
    if (!is_idle()) {
        last_need_ = now;
        return;
    }
    util::Duration idle = now - std::max(last_need_, last_activity_);
    if (asked_to_leave_)
        return;
    if (idle >= util::Duration(settings_.idle_time)) {
        asked_to_leave_ = true;
        control_.send(ipc::Leaving{.orders_seen = orders_seen_});
    } else if (!idle_timer_.running()) {
        idle_timer_.start(util::Duration(settings_.idle_time) - idle);
    }
}

void Host::pass_changes()
{
    // A session that hears of a change may make another one.
    for (int round = 0; round < 4 && !changed_.empty(); ++round) {
        std::vector<store::MailboxId> changed;
        changed.swap(changed_);
        for (auto& client : clients_) {
            for (store::MailboxId id : changed)
                client->store_changed(id);
        }
    }
}

void Host::tell_durable()
{
    store::Lsn durable = store_.durable();
    for (auto& deliverer : deliverers_) {
        if (deliverer->told < deliverer->pending && durable > deliverer->told) {
            deliverer->told = durable;
            deliverer->channel->send(ipc::Durable{.lsn = durable});
        }
    }
    if (durable == durable_)
        return;
    durable_ = durable;
    for (auto& client : clients_)
        client->durable_grew();
}

void Host::bury()
{
    std::erase_if(deliverers_, [](const auto& deliverer) { return deliverer->gone; });
    std::erase_if(clients_, [this](const auto& client) {
        if (client->over()) {
            util::log::info(client->describe_end(settings_.account));
            tell_end(client->session());
        }
        return client->over();
    });
}

void Host::count_sessions()
{
    auto count = static_cast<std::uint32_t>(clients_.size());
    if (count == sessions_told_ || leaving_)
        return;
    sessions_told_ = count;
    control_.send(ipc::SessionCount{.sessions = count});
}

bool Host::has_work() const
{
    return chores_ == store::Chores::More ||
           std::any_of(clients_.begin(), clients_.end(), [](const auto& client) { return client->wants_slice(); });
}

// One session gets one slice, then the descriptors are looked at again.
void Host::give_slice()
{
    for (std::size_t i = 0; i < clients_.size(); ++i) {
        Client& client = *clients_[(next_slice_ + i) % clients_.size()];
        if (client.wants_slice()) {
            client.slice();
            next_slice_ = (next_slice_ + i + 1) % clients_.size();
            return;
        }
    }
    if (chores_ != store::Chores::More)
        return;
    chores_ = store_.housekeep(housekeeping_slice);
    if (chores_ == store::Chores::Done) {
        trim_timer_.start(memory_return_time);
    }
}

bool Host::is_idle() const
{
    return clients_.empty() && chores_ == store::Chores::Done && std::all_of(deliverers_.begin(), deliverers_.end(), [](const auto& deliverer) {
        return deliverer->told >= deliverer->pending;
    });
}

void Host::watch_flush()
{
    auto next = store_.next_flush();
    if (!next || *next >= flush_at_)
        return;
    flush_at_ = *next;
    flush_timer_.start_at(*next);
}

// Between the messages of a busy day the memory stays for the next one.
void Host::trim()
{
    util::Duration quiet = util::now() - last_activity_;
    bool all = quiet >= memory_return_time;
    for (auto& client : clients_)
        client->release_memory(all);
    if (!all)
        return trim_timer_.start(memory_return_time - quiet);
    store_.release_memory();
    util::return_freed_memory();
}

void Host::quiet()
{
    util::Instant now = util::now();
    if (now - last_activity_ < quiet_time && now - untidy_since_ < longest_untidy_time)
        return quiet_timer_.start(quiet_time);
    untidy_ = false;
    if (chores_ == store::Chores::Done)
        chores_ = store::Chores::More;
}

// --- the end ---------------------------------------------------------------------------------------

// Takes in what the peer had sent already; what it sends from now on fails at its end.
void Host::drain(Deliverer& deliverer)
{
    if (deliverer.gone || !deliverer.channel->is_open())
        return;
    ::shutdown(deliverer.channel->fd(), SHUT_RD);
    while (deliverer.channel->is_open()) {
        ipc::Packet packets[ipc::max_packets_at_once];
        auto count = ipc::receive_packets(deliverer.channel->fd(), packets);
        if (!count.ok())
            return;
        for (std::size_t i = 0; i < *count; ++i) {
            if (packets[i].bytes.empty())
                return;
            deliver(deliverer, packets[i]);
        }
    }
}

void Host::leave(std::string_view reason)
{
    if (leaving_)
        return;
    leaving_ = true;
    leave_at_ = util::now() + leave_time;
    leave_timer_.start(leave_time);
    control_.close();
    for (auto& deliverer : deliverers_)
        drain(*deliverer);
    auto synced = store_.sync();
    if (!synced.ok()) {
        failure_ = synced.take_error();
        return loop_.stop();
    }
    tell_durable();
    deliverers_.clear();
    for (auto& client : clients_)
        client->terminate(reason);
    if (clients_.empty())
        loop_.stop();
}

}  // namespace mailbox
