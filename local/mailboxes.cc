// Connections to mailbox processes.
#include "local/mailboxes.h"

#include "libutil/log.h"

#include <algorithm>
#include <cerrno>

namespace local {

Mailboxes::Mailboxes(util::EventLoop& loop, std::string usher_socket, std::size_t connection_limit,
                     util::Duration timeout, MailboxEvents& events)
    : loop_(loop), usher_socket_(std::move(usher_socket)), connection_limit_(connection_limit),
      timeout_(timeout), events_(events), sweep_timer_(loop, [this] { sweep(); })
{
}

void Mailboxes::deliver(const std::string& account, DeliveryId id)
{
    if (auto trial = trials_.find(account); trial != trials_.end()) {
        trial->second.waiting.push_back(id);
        return;
    }
    order(account, id);
}

// The suspect on trial has been answered, or was lost: the next.
void Mailboxes::continue_trial(const std::string& name, DeliveryId done)
{
    auto found = trials_.find(name);
    if (found == trials_.end() || found->second.current != done)
        return;
    std::string account = name;   // it may be the trial's, or a connection's
    Trial& trial = found->second;
    if (!trial.suspects.empty()) {
        trial.current = trial.suspects.front();
        trial.suspects.pop_front();
        return order(account, trial.current);
    }
    auto waiting = std::move(trial.waiting);
    trials_.erase(found);
    for (DeliveryId id : waiting)
        deliver(account, id);
}

void Mailboxes::order(const std::string& account, DeliveryId id)
{
    auto found = connections_.find(account);
    if (found != connections_.end()) {
        Connection& connection = *found->second;
        if (connection.channel && connection.channel->is_open())
            return send(connection, id);
        connection.waiting.push_back(id);   // for its beginning, or for its end to be told
        return;
    }
    if (!reach_usher())
        return give_up(account, {id}, false, "usher cannot be reached");
    Connection& connection = connect(account);
    connection.waiting.push_back(id);
    ipc::OpenMailbox wanted;
    wanted.request = connection.request;
    wanted.account = account;
    usher_->send(wanted);
}

Mailboxes::Connection& Mailboxes::connect(const std::string& account)
{
    // Make room: those that work are left alone, so that there may be more than the limit for a while.
    while (connections_.size() >= connection_limit_ && !idle_.empty())
        remove(*idle_.front());
    auto& connection = connections_[account];
    connection = std::make_unique<Connection>();
    connection->account = account;
    connection->request = next_request_++;
    connection->progress = util::now();
    requests_[connection->request] = connection.get();
    watch_time();
    return *connection;
}

// --- usher -------------------------------------------------------------------------------------------

bool Mailboxes::reach_usher()
{
    if (usher_ && usher_->is_open())
        return true;
    if (usher_)
        return false;   // lost just now; usher_lost() is about to be called
    auto connected = ipc::Channel::connect(
        loop_, usher_socket_,
        {.received = [this](ipc::Packet& packet) { usher_said(packet); },
         .closed = [this](const util::Error& error) { usher_lost(error); }});
    if (!connected.ok()) {
        util::log::warning("usher: ", connected.error().text);
        return false;
    }
    usher_ = connected.take();
    return true;
}

void Mailboxes::usher_said(ipc::Packet& packet)
{
    if (packet.name() == ipc::MailboxOpened::message_name) {
        auto answer = packet.cut ? ipc::decode_cut<ipc::MailboxOpened>(packet) : ipc::decode<ipc::MailboxOpened>(packet);
        // The mailbox sees the end of a connection that nobody has used.
        if (answer.ok() && packet.cut)
            return failed(answer->request, false, ipc::cut_error().text);
        if (answer.ok() && answer->connection.valid())
            return opened(*answer);
    } else if (packet.name() == ipc::MailboxFailed::message_name) {
        auto answer = ipc::decode<ipc::MailboxFailed>(packet);
        if (answer.ok())
            return failed(answer->request, answer->permanent, answer->text);
    }
    usher_->fail(util::invalid("usher said something that cannot be understood"));
}

void Mailboxes::usher_lost(const util::Error& error)
{
    util::log::warning("usher: ", error.text);
    usher_.reset();
    while (!requests_.empty())
        failed(requests_.begin()->first, false, "usher went away");
}

void Mailboxes::opened(ipc::MailboxOpened& answer)
{
    auto found = requests_.find(answer.request);
    if (found == requests_.end())
        return;
    Connection* connection = found->second;
    requests_.erase(found);
    connection->channel = std::make_unique<ipc::Channel>(
        loop_, std::move(answer.connection),
        ipc::Channel::Events{
            .received = [this, connection](ipc::Packet& packet) { mailbox_said(*connection, packet); },
            .closed = [this, connection](const util::Error& error) { mailbox_lost(*connection, error); }});
    for (DeliveryId id : std::exchange(connection->waiting, {}))
        send(*connection, id);
    settle(*connection);
}

void Mailboxes::failed(std::uint64_t request, bool permanent, std::string_view why)
{
    auto found = requests_.find(request);
    if (found == requests_.end())
        return;
    Connection& connection = *found->second;
    requests_.erase(found);
    auto waiting = std::move(connection.waiting);
    std::string account = connection.account;
    remove(connection);
    give_up(account, std::move(waiting), permanent, why);
}

// Who waits for the end of a trial waits for the same mailbox.
void Mailboxes::give_up(const std::string& account, std::vector<DeliveryId> ids, bool permanent, std::string_view why)
{
    if (auto trial = trials_.extract(account)) {
        Trial& over = trial.mapped();
        ids.insert(ids.end(), over.suspects.begin(), over.suspects.end());
        ids.insert(ids.end(), over.waiting.begin(), over.waiting.end());
    }
    for (DeliveryId id : ids)
        events_.unavailable(id, permanent, why);
}

// --- mailboxes ---------------------------------------------------------------------------------------

void Mailboxes::send(Connection& connection, DeliveryId id)
{
    unlist(connection);
    if (connection.flights.empty())
        connection.progress = util::now();
    watch_time();
    ipc::Deliver order;
    events_.fill(id, order);
    order.delivery = id;
    connection.flights.push_back({.id = id, .lsn = 0, .stored = false});
    ++in_flight_;
    connection.channel->send(order);
    connection.flights.back().unsent = !connection.channel->is_open();
    events_.sent(id, order);
}

void Mailboxes::mailbox_said(Connection& connection, ipc::Packet& packet)
{
    connection.progress = util::now();
    auto& flights = connection.flights;
    auto flight_of = [&](DeliveryId id) {
        return std::find_if(flights.begin(), flights.end(), [&](const Flight& flight) { return flight.id == id; });
    };
    if (packet.name() == ipc::DeliveriesWanted::message_name) {
        connection.is_up = true;
        return;
    }
    if (packet.name() == ipc::DeliveryStored::message_name) {
        auto answer = ipc::decode<ipc::DeliveryStored>(packet);
        if (!answer.ok())
            return connection.channel->fail(answer.take_error());
        auto flight = flight_of(answer->delivery);
        if (flight == flights.end() || flight->stored)
            return connection.channel->fail(util::invalid("a mailbox stored what it was not ordered to"));
        flight->stored = true;
        flight->lsn = answer->lsn;
        if (answer->lsn > answer->durable)
            events_.stored(answer->delivery);
        std::string account = connection.account;
        made_durable(connection, answer->durable);
        return continue_trial(account, answer->delivery);
    }
    if (packet.name() == ipc::Durable::message_name) {
        auto answer = ipc::decode<ipc::Durable>(packet);
        if (!answer.ok())
            return connection.channel->fail(answer.take_error());
        return made_durable(connection, answer->lsn);
    }
    if (packet.name() == ipc::DeliveryRefused::message_name) {
        auto answer = ipc::decode<ipc::DeliveryRefused>(packet);
        if (!answer.ok())
            return connection.channel->fail(answer.take_error());
        auto flight = flight_of(answer->delivery);
        if (flight == flights.end() || flight->stored)
            return connection.channel->fail(util::invalid("a mailbox refused what it was not ordered to store"));
        flights.erase(flight);
        --in_flight_;
        settle(connection);
        std::string account = connection.account;
        events_.refused(answer->delivery, *answer);
        return continue_trial(account, answer->delivery);
    }
    connection.channel->fail(util::invalid("a mailbox said something that cannot be understood"));
}

void Mailboxes::made_durable(Connection& connection, std::uint64_t lsn)
{
    std::vector<DeliveryId> done;
    std::erase_if(connection.flights, [&](const Flight& flight) {
        bool durable = flight.stored && flight.lsn <= lsn;
        if (durable)
            done.push_back(flight.id);
        return durable;
    });
    if (done.empty())
        return;
    in_flight_ -= done.size();
    settle(connection);
    for (DeliveryId id : done)
        events_.durable(id);
}

void Mailboxes::mailbox_lost(Connection& connection, const util::Error& error)
{
    if (error.code != ECONNRESET && error.code != EPIPE)
        util::log::warning("mailbox of ", connection.account, ": ", error.text);
    // A mailbox that leaves in good order has answered all that it was sent; what could not be sent any more has done
    // nothing.
    bool crashed = connection.is_up && (error.code == ECONNRESET || error.code == EPIPE);
    std::set<DeliveryId> unsent;
    for (ipc::Packet& packet : connection.channel->take_unsent()) {
        if (auto order = ipc::decode<ipc::Deliver>(packet); order.ok())
            unsent.insert(order->delivery);
    }
    std::vector<DeliveryId> innocent, suspects;
    for (const Flight& flight : connection.flights) {
        bool touched = !flight.stored && !flight.unsent && !unsent.contains(flight.id);
        (crashed && touched ? suspects : innocent).push_back(flight.id);
    }
    in_flight_ -= connection.flights.size();
    auto waiting = std::move(connection.waiting);
    std::string account = connection.account;
    remove(connection);
    using enum MailboxEvents::Blame;
    for (DeliveryId id : suspects)
        events_.lost(id, suspects.size() == 1 ? Alone : Shared);
    if (suspects.size() > 1) {
        // There is no trial yet, or its one message would have been alone.
        Trial& trial = trials_[account];
        trial.suspects.assign(suspects.begin(), suspects.end());
    }
    for (DeliveryId id : innocent)
        events_.lost(id, None);
    for (DeliveryId id : waiting)
        deliver(account, id);
    if (auto trial = trials_.find(account); trial != trials_.end())
        continue_trial(account, suspects.size() == 1 ? suspects.front() : trial->second.current);
}

// --- time --------------------------------------------------------------------------------------------

void Mailboxes::watch_time()
{
    if (!sweep_timer_.running())
        sweep_timer_.start(std::max(timeout_ / 4, util::Duration(1000)));
}

void Mailboxes::sweep()
{
    util::Instant late = util::now() - timeout_;
    bool usher_late = false;
    for (auto& entry : connections_) {
        Connection& connection = *entry.second;
        if (connection.progress > late)
            continue;
        if (!connection.channel)
            usher_late = true;
        else if (!connection.flights.empty())
            connection.channel->fail(util::temporary("the mailbox does not answer"));
    }
    if (usher_late && usher_)
        usher_->fail(util::temporary("usher does not answer"));
    if (in_flight_ > 0 || !requests_.empty())
        watch_time();
}

// Keeps the list of idle connections.
void Mailboxes::settle(Connection& connection)
{
    if (connection.flights.empty() && connection.channel && !connection.is_idle) {
        connection.idle = idle_.insert(idle_.end(), &connection);
        connection.is_idle = true;
    }
}

void Mailboxes::unlist(Connection& connection)
{
    if (connection.is_idle)
        idle_.erase(connection.idle);
    connection.is_idle = false;
}

void Mailboxes::remove(Connection& connection)
{
    unlist(connection);
    connections_.erase(connections_.find(connection.account));
}

}  // namespace local
