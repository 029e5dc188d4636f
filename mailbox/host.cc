// The loop of a mailbox process.
#include "mailbox/host.h"

#include "imapd/syntax/bye.h"
#include "libconf/group_name.h"
#include "libipc/connection.h"
#include "libipc/parking.h"
#include "libstore/visibility.h"
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
// Old messages that are removed between two such looks.
constexpr std::size_t expiry_slice = 500;
constexpr std::size_t max_expiry_orders = 100;   // that wait for the end of one

// In the place of the greeting, which says that the log-in was successful: "TAG OK ..." for IMAP.
void turn_away(const ipc::NewSession& order)
{
    std::string text;
    if (order.facts.service == ipc::Service::Imap)   // RFC 5530 §3
        text = util::concat(util::split_first(order.greeting, ' ').first,
                            " NO [LIMIT] Too many sessions of this user\r\n", imapd::syntax::bye("Too many sessions"));
    else   // RFC 2449 §8.1.2
        text = "-ERR [IN-USE] Too many sessions of this user\r\n";
    (void)::send(order.client.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

// To the client of a session whose connection cannot go on.
void say_farewell(const ipc::ReturnSession& order)
{
    (void)::send(order.client.get(), order.farewell.data(), order.farewell.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

Host::Host(util::EventLoop& loop, util::UniqueFd control, const ipc::MailboxSettings& settings,
           store::Store& store, Renderer render, SessionFactory make_session, SearchRoom* search)
    : loop_(loop), settings_(settings), store_(store), make_session_(std::move(make_session)), search_(search),
      deliveries_(store, render, settings.message_size_limit ? settings.message_size_limit + ipc::trace_room : 0),
      quota_(loop, store, settings.account, render),
      control_(loop, std::move(control),
               {.received = [this](ipc::Packet& packet) { ordered(packet); },
                .closed = [this](const util::Error&) { leave("server shutting down"); }}),
      guests_(loop, {.open = [this](const ipc::OpenGuest& wanted) { control_.send(wanted); },
                     .sharers = [this](const ipc::AskSharers& wanted) { control_.send(wanted); }}),
      durable_(store.durable()), last_activity_(util::now()), last_need_(last_activity_),
      untidy_since_(last_activity_),
      store_watch_(loop, store.event_fd(), util::Watch::Read, [this](unsigned) {
          (void)store_.collect();   // turn() sees a failure
          if (chores_ == store::Chores::Waiting)
              chores_ = store::Chores::More;
      }),
      flush_timer_(loop, [this] {
          flush_at_ = util::Instant::max();
          store_.flush(true);
      }),
      park_timer_(loop, [] {}),   // turn() looks whether it is time
      quiet_timer_(loop, [this] { quiet(); }),
      trim_timer_(loop, [this] { trim(); }),
      idle_timer_(loop, [] {}),   // turn() looks whether it is time
      leave_timer_(loop, [] {})
{
    store_.on_change([this](store::MailboxId id) {
        // A list of mailboxes, or an access control list among its annotations.
        sharing_changed_ = sharing_changed_ || id == 0 ||
                           (!store_.annotation_changes().empty() && store_.annotation_changes().back().mailbox == id &&
                            store_.annotation_changes().back().lsn == store_.last());
        if (std::find(changed_.begin(), changed_.end(), id) == changed_.end())
            changed_.push_back(id);
    });
    if (search_) {
        search_->set_gate([this] { return may_copy(); });
        search_->set_turns({.ask = [this] { control_.send(ipc::FillingWanted{}); },
                            .over = [this] { control_.send(ipc::FillingOver{}); }});
    }
    control_.send(ipc::SessionCount{});   // the store is open: usher knows that this one has started
    idle_timer_.start(util::Duration(settings_.idle_time));
    quiet_timer_.start(quiet_time);   // what opening left to do
}

Host::~Host()
{
    store_.on_change({});
    if (search_) {
        search_->set_gate({});
        search_->set_turns({});
    }
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
    if (packet.name() == ipc::UserGroups::message_name) {
        auto order = ipc::decode<ipc::UserGroups>(packet);
        if (order.ok())
            return set_groups(order->groups);
        return control_.fail(order.take_error());
    }
    if (packet.name() == ipc::QuotaOrder::message_name) {
        auto order = packet.cut ? ipc::decode_cut<ipc::QuotaOrder>(packet) : ipc::decode<ipc::QuotaOrder>(packet);
        if (order.ok())
            return quota_.take(order.take());
        return control_.fail(order.take_error());
    }
    if (packet.name() == ipc::SessionParked::message_name) {
        auto answer = ipc::decode<ipc::SessionParked>(packet);
        if (answer.ok())
            return session_parked(*answer);
        return control_.fail(answer.take_error());
    }
    if (packet.name() == ipc::WatchMailboxes::message_name) {
        auto order = ipc::decode<ipc::WatchMailboxes>(packet);
        if (order.ok())
            return watch(*order);
        return control_.fail(order.take_error());
    }
    if (packet.name() == ipc::FillingGranted::message_name) {
        auto turn = ipc::decode<ipc::FillingGranted>(packet);
        if (!turn.ok())
            return control_.fail(turn.take_error());
        if (search_)
            search_->turn_given();
        return;
    }
    if (guests_.answered(packet))
        return;
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
    if (packet.name() == ipc::ExpireMail::message_name) {
        auto order = ipc::decode<ipc::ExpireMail>(packet);
        if (order.ok())
            return expire(*order);
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
    if (refused && order.state.empty())
        tell_end(order.facts.session);   // one that was parked is usher's still
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
    self->told = store_.durable();   // up to there nothing is of a delivery by this connection
    self->channel->send(ipc::DeliveriesWanted{});
    deliverers_.push_back(std::move(deliverer));
}

void Host::add_client(ipc::NewSession& order)
{
    bool was_parked = !order.state.empty();
    bool guest = !order.facts.guest.empty();
    auto like_this = std::size_t(
        std::count_if(clients_.begin(), clients_.end(), [guest](const auto& client) { return client->is_guest() == guest; }));
    auto of_guest = std::size_t(std::count_if(clients_.begin(), clients_.end(),
                                              [&](const auto& client) { return client->guest() == order.facts.guest; }));
    if (guest && (like_this >= settings_.guest_limit || of_guest >= settings_.guest_user_limit)) {
        bool all = like_this >= settings_.guest_limit;
        util::log::warning("a session of the guest ", util::printable(order.facts.guest, 320), " is refused: ",
                           all ? "mailbox_guest_limit" : "mailbox_guest_user_limit", " is ",
                           all ? settings_.guest_limit : settings_.guest_user_limit);
        answer(order, {});
        return tell_end(order.facts.session);
    }
    if (!guest && !was_parked && like_this + order.parked >= settings_.session_limit) {
        util::log::warning(order.facts.session, ": a session is refused: mailbox_session_limit is ",
                           settings_.session_limit, " for one user");
        answer(order, {});
        turn_away(order);
        return tell_end(order.facts.session);
    }
    if (store_.durable() == 0) {
        // What a new store begins with has waited for a delivery (Store::flush()).
        if (auto synced = store_.sync(); !synced.ok()) {
            answer(order, synced.error().text);
            failure_ = synced.take_error();
            return loop_.stop();
        }
    }
    auto session = make_session_(order.facts, store_, order.state);
    if (!session) {
        util::log::warning(order.facts.session, ": a session of a service that is not offered here");
        return answer(order, "this service is not offered");
    }
    answer(order, {});
    clients_.push_back(
        std::make_unique<Client>(loop_, std::move(order.client), std::move(order.facts), std::move(session)));
    if (was_parked)
        clients_.back()->was_parked(util::Instant(util::Duration(order.started)));
    clients_.back()->begin(order.greeting, order.pending);
}

// Empty: all of them.
void Host::end_sessions(const std::string& session)
{
    for (auto& client : clients_)
        if (session.empty() || client->session() == session)
            client->terminate("Session ended by the administrator");
}

// A guest has his own.
void Host::set_groups(const std::vector<std::string>& groups)
{
    for (auto& client : clients_)
        if (!client->is_guest())
            client->set_groups(groups);
}

// Nobody takes it once usher has said that this process is to end, or has gone.
void Host::give_back(const ipc::ReturnSession& order)
{
    control_.send(order);
    if (!control_.is_open())
        say_farewell(order);
}

// What has waited for usher to read, and does so no more.
void Host::take_up_unsent()
{
    for (ipc::Packet& packet : control_.take_unsent()) {
        if (packet.name() == ipc::ReturnSession::message_name)
            if (auto order = ipc::decode<ipc::ReturnSession>(packet); order.ok())
                say_farewell(*order);
        if (packet.name() == ipc::WakeSessions::message_name)
            if (auto order = ipc::decode<ipc::WakeSessions>(packet); order.ok())
                woken_.insert(woken_.end(), order->mailboxes.begin(), order->mailboxes.end());
    }
}

void Host::tell_end(const std::string& session)
{
    if (!leaving_)
        control_.send(ipc::SessionEnded{session});
}

// --- old mail --------------------------------------------------------------------------------------

void Host::expire(const ipc::ExpireMail& order)
{
    if (expiry_orders_.size() >= max_expiry_orders) {
        control_.send(ipc::MailExpired{.order = order.order, .failure = "too many orders to remove old mail"});
        return;
    }
    expiry_orders_.push_back(order.order);
    if (expiry_)
        return;   // one is under way already
    std::vector<store::ExpiryRule> rules;
    for (const auto& rule : order.rules)
        rules.push_back({rule.mailbox, rule.seconds});
    expiry_.emplace(store_, std::move(rules),
                    std::chrono::duration_cast<std::chrono::seconds>(util::wall_now().time_since_epoch()).count());
}

void Host::expire_slice()
{
    active_ = true;
    auto done = expiry_->step(expiry_slice);
    if (!done.ok())
        return answer_expiry(done.error().text);
    if (!*done)
        return;
    // It was asked for and is answered once: so the sync may be waited for.
    auto synced = store_.sync();
    answer_expiry(synced.ok() ? std::string() : synced.error().text);
}

void Host::answer_expiry(std::string failure)
{
    if (expiry_->messages() > 0)
        util::log::info("expired: user=<", util::printable(settings_.account, 320), ">, messages=", expiry_->messages(),
                        ", size=", expiry_->bytes());
    for (auto order : expiry_orders_)
        control_.send(
            ipc::MailExpired{.order = order, .messages = expiry_->messages(), .bytes = expiry_->bytes(), .failure = failure});
    expiry_orders_.clear();
    expiry_.reset();
}

void Host::deliver(Deliverer& deliverer, ipc::Packet& packet)
{
    active_ = true;
    // What is answered is not suspected if this process dies of the next one.
    if (auto answer = std::exchange(deliverer.answer, std::nullopt))
        deliverer.channel->send(*answer);
    auto order = packet.cut ? ipc::decode_cut<ipc::Deliver>(packet) : ipc::decode<ipc::Deliver>(packet);
    if (!order.ok())
        return deliverer.channel->fail(order.take_error());
    auto answer =
        packet.cut ? Deliveries::Answer(Deliveries::refusal(order->delivery, ipc::cut_error())) : deliveries_.deliver(*order);
    if (auto* stored = std::get_if<ipc::DeliveryStored>(&answer)) {
        deliverer.pending = std::max(deliverer.pending, stored->lsn);
        // A duplicate's lsn may have been told as durable before this order came.
        if (stored->lsn <= deliverer.told)
            deliverer.told = stored->lsn - 1;
        deliverer.answer = *stored;
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
    // The disk failed: this process ends, and its successor recovers.
    if (!failure_ && store_.failure())
        failure_ = *store_.failure();
    if (failure_) {
        loop_.stop();
        return tell_durable();   // what was stored is not to blame
    }
    give_slice();
    quota_.turn();
    pass_changes();
    // Deliveries wait for nothing else.
    store_.write_here(std::ranges::all_of(clients_, [](const auto& client) { return client->waits_for_disk(); }));
    store_.flush(false);
    watch_flush();
    flushed_ = store_.last();
    tell_durable();
    tell_sharers();
    guests_.settle();
    for (auto& client : clients_)
        client->settle();
    if (!leaving_)
        park_those_that_wait();
    bury();
    count_sessions();
    if (!leaving_)
        return consider_idleness();
    if (clients_.empty() || util::now() >= leave_at_)
        loop_.stop();
}

void Host::tell_sharers()
{
    if (!std::exchange(sharing_changed_, false) || !sharers_ || leaving_)
        return;
    auto now = sharers_();
    if (now.size() > ipc::max_shared_identifiers)
        now = {std::string(conf::anyone)};
    if (std::exchange(sharers_known_, true) && now == sharers_told_)
        return;
    control_.send(ipc::SharedWith{.identifiers = now});
    sharers_told_ = std::move(now);
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
        for (store::MailboxId id : changed) {
            if (search_)
                search_->mailbox_changed(id);
        }
        for (auto& client : clients_) {
            for (store::MailboxId id : changed)
                client->store_changed(id);
        }
        for (store::MailboxId id : changed)
            wake_watchers(id);
    }
    while (!woken_.empty() && control_.is_open()) {
        auto some = woken_.begin() + std::ptrdiff_t(std::min(woken_.size(), max_woken_at_once));
        control_.send(ipc::WakeSessions{.mailboxes = {woken_.begin(), some}});
        if (control_.is_open())
            woken_.erase(woken_.begin(), some);
    }
}

void Host::tell_durable()
{
    store::Lsn durable = store_.durable();
    for (auto& deliverer : deliverers_) {
        auto answer = std::exchange(deliverer->answer, std::nullopt);
        bool grew = deliverer->told < deliverer->pending && durable > deliverer->told;
        if (grew)
            deliverer->told = durable;
        if (answer) {
            answer->durable = durable;
            deliverer->channel->send(*answer);
        } else if (grew) {
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
        if (client->over() && !client->moved()) {
            util::log::info(client->describe_end(settings_.account));
            if (auto order = client->returned())
                give_back(*order);
            else
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

// Who hears in a turn that its change is durable may go on with the next command, which the turn after hands to the disk.
bool Host::has_work() const
{
    return may_housekeep() || expiry_ || !changed_.empty() || store_.last() != flushed_ ||
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
    if (expiry_)
        return expire_slice();
    if (!may_housekeep())
        return;
    chores_ = store_.housekeep(housekeeping_slice);
    if (chores_ == store::Chores::Done) {
        trim_timer_.start(memory_return_time);
    }
}

// The files that a copy of the process reads stay where they are.
bool Host::may_housekeep() const
{
    return chores_ == store::Chores::More && !(search_ && search_->is_reading());
}

// While the helper thread is at it, files change their places; and what has waited long for copies to end comes first.
bool Host::may_copy() const
{
    return !leaving_ && chores_ != store::Chores::Waiting &&
           !(chores_ == store::Chores::More && util::now() - chores_since_ >= longest_untidy_time);
}

bool Host::is_idle() const
{
    return clients_.empty() && !expiry_ && !(search_ && search_->is_busy()) && chores_ == store::Chores::Done &&
           std::all_of(deliverers_.begin(), deliverers_.end(),
                       [](const auto& deliverer) { return deliverer->told >= deliverer->pending; });
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
    if (search_)
        search_->release_memory();
    store_.release_memory();
    util::return_freed_memory();
}

void Host::quiet()
{
    util::Instant now = util::now();
    if (now - last_activity_ < quiet_time && now - untidy_since_ < longest_untidy_time)
        return quiet_timer_.start(quiet_time);
    untidy_ = false;
    if (chores_ == store::Chores::Done) {
        chores_ = store::Chores::More;
        chores_since_ = now;
    }
    if (search_)
        search_->look_whether_complete();
}

// --- parked sessions -------------------------------------------------------------------------------

void Host::park_those_that_wait()
{
    util::Duration delay(settings_.park_delay);
    if (delay == util::Duration::zero())
        return;
    util::Instant now = util::now();
    util::Instant next = util::Instant::max();
    for (auto& client : clients_) {
        auto at = client->parks_at(delay);
        if (!at)
            continue;
        if (*at > now) {
            next = std::min(next, *at);
            continue;
        }
        auto order = client->park();
        if (order && watched_.size() + order->watches.size() > max_watched)
            client->parked(false);
        else if (order)
            send_parked(*order);
    }
    if (next != util::Instant::max())
        park_timer_.start_at(next);
}

// What happens from here on in what it watches is told after it.
void Host::send_parked(const ipc::ParkSession& order)
{
    for (const auto& watched : order.watches)
        watched_.emplace(watched.mailbox, watched.position);
    control_.send(order);
}

void Host::session_parked(const ipc::SessionParked& answer)
{
    for (auto& client : clients_)
        if (client->parking() && client->session() == answer.session)
            client->parked(answer.taken);
}

// What has happened since they were parked wakes them at once: a process may have died before it could say so.
void Host::watch(const ipc::WatchMailboxes& order)
{
    for (const auto& watched : order.watches) {
        bool changed = false;
        if (watched.mailbox == 0) {
            changed = store::list_fingerprint(store_) != watched.position;
        } else {
            auto mailbox = store_.facts(watched.mailbox);
            changed = !mailbox.ok() || (*mailbox)->highest_modseq > watched.position;
        }
        if (changed || watched_.size() >= max_watched)
            woken_.push_back(watched.mailbox);
        else
            watched_.emplace(watched.mailbox, watched.position);
    }
}

void Host::wake_watchers(store::MailboxId changed)
{
    if (watched_.erase(changed) > 0)
        woken_.push_back(changed);
    if (changed != 0)
        return;
    std::erase_if(watched_, [this](const auto& watched) {
        bool removed = !store_.facts(watched.first).ok();
        if (removed)
            woken_.push_back(watched.first);
        return removed;
    });
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
    take_up_unsent();
    control_.close();
    for (auto& deliverer : deliverers_)
        drain(*deliverer);
    quota_.turn();
    auto synced = store_.sync();
    tell_durable();
    if (!synced.ok()) {
        failure_ = synced.take_error();
        return loop_.stop();
    }
    deliverers_.clear();
    for (auto& client : clients_)
        client->terminate(reason);
    if (clients_.empty())
        loop_.stop();
}

}  // namespace mailbox
