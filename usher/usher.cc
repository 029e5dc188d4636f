// Peers and their orders.  Processes are in processes.cc.
#include "usher/usher.h"

#include "libutil/log.h"
#include "libutil/sys.h"

#include <cerrno>
#include <sys/socket.h>

namespace usher {

Usher::Usher(util::EventLoop& loop, Settings settings, Launcher& launcher, FindAccount find_account,
             ListAccounts list_accounts)
    : loop_(loop), settings_(std::move(settings)), launcher_(launcher), find_account_(std::move(find_account)),
      list_accounts_(std::move(list_accounts)), roster_(settings_.process_limit), shares_(settings_.shares_file),
      filling_turns_(settings_.filling_limit),
      parking_(loop, [this](std::uint64_t number) { stirred(number); }), parked_timer_(loop, [this] { parked_due(); }),
      sweep_timer_(loop, [this] { sweep(); }), start_timer_(loop, [this] { watch_starts(); }),
      shares_timer_(loop, [this] { shares_.save(); }), filling_timer_(loop, [this] { take_late_fillings(); }),
      expiry_timer_(loop, [this] { expire_next(); })
{
    plan_expiry(first_expiry_time);
}

unsigned Usher::roles_of(uid_t uid) const
{
    if (settings_.own_uid)
        return uid == ::geteuid() ? Deliverer | ImapDoor | Pop3Door | Administrator | Receiver : Nobody;
    return (uid == settings_.local_uid ? Deliverer : Nobody) | (uid == settings_.imap_uid ? ImapDoor : Nobody) |
           (uid == settings_.pop3_uid ? Pop3Door : Nobody) | (uid == settings_.smtpd_uid ? Receiver : Nobody) |
           (uid == settings_.administrator_uid ? Administrator : Nobody);
}

void Usher::change(Settings settings)
{
    settings_ = std::move(settings);
    roster_.set_limit(settings_.process_limit);
    filling_turns_.set_limit(settings_.filling_limit);
    give_filling_turns();
    watch_starts();
    if (to_expire_.empty() && !expiry_timer_.running())
        plan_expiry(first_expiry_time);
}

void Usher::accept(util::UniqueFd connection, std::function<void()> gone)
{
    auto credentials = util::sys::peer_credentials(connection.get());
    unsigned roles = credentials.ok() && !stopping_ ? roles_of(credentials->uid) : unsigned(Nobody);
    if (roles == Nobody) {
        if (credentials.ok() && !stopping_)
            util::log::warning("a connection from uid ", credentials->uid, " (pid ", credentials->pid,
                               "), who may ask for nothing");
        return gone();
    }
    if (roles == Receiver && receivers_ == max_receivers) {
        util::log::warning("more than ", max_receivers, " smtpd processes ask for quotas at once");
        return gone();
    }
    receivers_ += roles == Receiver;
    std::uint64_t id = next_id_++;
    Peer& peer = peers_[id];
    peer.id = id;
    peer.roles = roles;
    peer.uid = credentials->uid;
    peer.gone = std::move(gone);
    peer.channel = std::make_unique<ipc::Channel>(
        loop_, std::move(connection),
        ipc::Channel::Events{.received = [this, id](ipc::Packet& packet) { received(id, packet); },
                             .closed = [this, id](const util::Error& error) { lost_peer(id, error); }});
}

void Usher::lost_peer(std::uint64_t id, const util::Error& error)
{
    if (error.kind == util::Kind::Invalid)
        util::log::warning("dropped the connection of uid ", peers_[id].uid, ": ", error.text);
    receivers_ -= peers_[id].roles == Receiver;
    auto gone = std::move(peers_[id].gone);
    peers_.erase(id);
    gone();
}

ipc::Channel* Usher::channel_of(std::uint64_t peer)
{
    auto found = peers_.find(peer);
    return found == peers_.end() ? nullptr : found->second.channel.get();
}

void Usher::refuse(std::uint64_t peer, std::uint64_t request, bool permanent, std::string text)
{
    ipc::MailboxFailed failed;
    failed.request = request;
    failed.permanent = permanent;
    failed.text = std::move(text);
    refuse(peer, std::move(failed));
}

void Usher::refuse(std::uint64_t peer, ipc::MailboxFailed failed)
{
    if (ipc::Channel* channel = channel_of(peer))
        channel->send(failed);
}

void Usher::refuse(const Order& order, bool permanent, std::string text)
{
    if (order.expire && order.peer == 0)
        return end_expiry({.account = order.account}, {.failure = std::move(text)});
    if (order.parked)
        return not_resumed(order.parked, permanent, text);
    refuse(order.peer, order.request, permanent, std::move(text));
}

void Usher::received(std::uint64_t id, ipc::Packet& packet)
{
    Peer& peer = peers_[id];
    if (packet.name() == ipc::OpenMailbox::message_name && (peer.roles & Deliverer)) {
        auto wanted = ipc::decode<ipc::OpenMailbox>(packet);
        if (!wanted.ok())
            return peer.channel->fail(wanted.take_error());
        Order order;
        order.peer = id;
        order.request = wanted->request;
        order.account = std::move(wanted->account);
        return place(std::move(order));
    }
    if (packet.name() == ipc::OpenSession::message_name && (peer.roles & (ImapDoor | Pop3Door))) {
        auto wanted = packet.cut ? ipc::decode_cut<ipc::OpenSession>(packet) : ipc::decode<ipc::OpenSession>(packet);
        if (!wanted.ok())
            return peer.channel->fail(wanted.take_error());
        // The door has the client still, and tells it to try later; the ticket goes with its time.
        if (packet.cut) {
            util::log::warning("a session cannot be opened: ", ipc::cut_error().text);
            return refuse(id, wanted->request, false, ipc::cut_error().text);
        }
        return open_session(peer, wanted.take());
    }
    if (packet.name() == ipc::OpenUserSession::message_name && (peer.roles & Administrator))
        return open_user_session(peer, packet);
    if (packet.name() == ipc::ExpireMail::message_name && (peer.roles & Administrator))
        return expire_asked(peer, packet);
    if (packet.name() == ipc::QuotaAsked::message_name && (peer.roles & Receiver)) {
        auto asked = ipc::decode<ipc::QuotaAsked>(packet);
        if (!asked.ok())
            return peer.channel->fail(asked.take_error());
        return asked_for_recipient(peer, *asked);
    }
    if (packet.name() == ipc::UsageWanted::message_name && (peer.roles & Administrator)) {
        auto wanted = ipc::decode<ipc::UsageWanted>(packet);
        if (!wanted.ok())
            return peer.channel->fail(wanted.take_error());
        return asked_for_usage(peer, wanted.take());
    }
    if (packet.name() == ipc::QuotasChanged::message_name && (peer.roles & Administrator))
        return peer.channel->send(ipc::QuotasTaken{.mailboxes = quotas_changed()});
    if (packet.name() == ipc::GroupsChanged::message_name && (peer.roles & Administrator)) {
        auto changed = ipc::decode<ipc::GroupsChanged>(packet);
        if (!changed.ok())
            return peer.channel->fail(changed.take_error());
        return peer.channel->send(ipc::SessionsEnding{.count = change_groups(changed->account)});
    }
    if (packet.name() == ipc::WhoWanted::message_name && (peer.roles & Administrator))
        return tell_who(*peer.channel);
    if (packet.name() == ipc::EndSessions::message_name && (peer.roles & Administrator)) {
        auto order = ipc::decode<ipc::EndSessions>(packet);
        if (!order.ok())
            return peer.channel->fail(order.take_error());
        return end_sessions(*peer.channel, *order);
    }
    peer.channel->fail(util::invalid(
        util::concat("message ", util::printable(packet.name(), 40), " is not for this peer to send")));
}

// --- sessions: first the ticket ------------------------------------------------------------------

void Usher::open_session(Peer& peer, ipc::OpenSession wanted)
{
    unsigned needed = wanted.facts.service == ipc::Service::Imap   ? ImapDoor
                      : wanted.facts.service == ipc::Service::Pop3 ? Pop3Door
                                                                   : Nobody;
    if (!(peer.roles & needed))
        return refuse(peer.id, wanted.request, true, "this service is not for this door to open");
    if (!wanted.client.valid())
        return refuse(peer.id, wanted.request, true, "a session without a client");
    if (tickets_.size() >= max_tickets)
        return refuse(peer.id, wanted.request, false, "too many sessions begin at once");
    if (!reach_auth())
        return refuse(peer.id, wanted.request, false, "the authentication service is not available");
    ipc::RedeemTicket redeem;
    redeem.request = next_id_++;
    redeem.ticket = wanted.ticket;
    redeem.service = wanted.facts.service;
    redeem.door_uid = peer.uid;
    Ticket ticket;
    ticket.peer = peer.id;
    ticket.wanted = std::move(wanted);
    ticket.deadline = util::now() + settings_.order_timeout;
    tickets_.emplace(redeem.request, std::move(ticket));
    auth_->send(redeem);
    watch_time();
}

bool Usher::reach_auth()
{
    if (auth_ && auth_->is_open())
        return true;
    if (auth_)
        return false;   // it has just failed; lost_auth() is about to be called
    auto connected = ipc::Channel::connect(
        loop_, settings_.auth_socket,
        {.received = [this](ipc::Packet& packet) { redeemed(packet); },
         .closed = [this](const util::Error& error) { lost_auth(error); }});
    if (!connected.ok()) {
        util::log::warning("auth: ", connected.error().text);
        return false;
    }
    auth_ = connected.take();
    return true;
}

void Usher::lost_auth(const util::Error& error)
{
    if (error.code != ECONNRESET)
        util::log::warning("auth: ", error.text);
    auth_.reset();
    auto lost = std::exchange(tickets_, {});
    for (auto& entry : lost)
        refuse(entry.second.peer, entry.second.wanted.request, false, "the authentication service went away");
}

void Usher::redeemed(ipc::Packet& packet)
{
    auto answer = ipc::decode<ipc::TicketRedeemed>(packet);
    if (!answer.ok())
        return auth_->fail(answer.take_error());
    auto found = tickets_.find(answer->request);
    if (found == tickets_.end())
        return;   // too late: it was refused
    Ticket ticket = std::move(found->second);
    tickets_.erase(found);
    if (!answer->good)
        return refuse(ticket.peer, ticket.wanted.request, true, "the ticket is not valid");
    if (was_ended(ticket, *answer))
        return refuse(ticket.peer, ticket.wanted.request, false, "ended by request");
    // RFC 2449 §6.5.  Here, since no mailbox process lives long enough to remember it.
    if (ticket.wanted.facts.service == ipc::Service::Pop3 &&
        !log_ins_.admit(answer->account, settings_.login_delay, util::now())) {
        ipc::MailboxFailed failed;
        failed.request = ticket.wanted.request;
        failed.too_soon = true;
        failed.text = "pop3d_login_delay has not passed";
        return refuse(ticket.peer, std::move(failed));
    }
    Order order;
    order.peer = ticket.peer;
    order.request = ticket.wanted.request;
    order.account = std::move(answer->account);
    order.app_password = std::move(answer->app_password);
    order.session.emplace();
    order.session->facts = std::move(ticket.wanted.facts);
    order.session->client = std::move(ticket.wanted.client);
    order.session->pending = std::move(ticket.wanted.pending);
    order.session->greeting = std::move(ticket.wanted.greeting);
    place(std::move(order));
}

}  // namespace usher
