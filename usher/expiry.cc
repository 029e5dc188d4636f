// What root's tools have done in a user's mailbox, and old mail that goes by itself.
//
// A round goes through all users that have mail, one after the other, whether they log in or not.  A process
// that was started for it leaves when it is done, and none is started while there is no room for one more:
// nobody is evicted for this.
#include "libutil/log.h"
#include "libutil/sys.h"
#include "usher/usher.h"

#include <algorithm>

namespace usher {

void Usher::open_user_session(Peer& peer, ipc::Packet& packet)
{
    auto wanted = packet.cut ? ipc::decode_cut<ipc::OpenUserSession>(packet) : ipc::decode<ipc::OpenUserSession>(packet);
    if (!wanted.ok())
        return peer.channel->fail(wanted.take_error());
    if (packet.cut)
        return refuse(peer.id, wanted->request, false, ipc::cut_error().text);
    if (wanted->facts.service != ipc::Service::Imap || !wanted->client.valid())
        return refuse(peer.id, wanted->request, true, "a session of IMAP with a client is wanted");
    Order order;
    order.peer = peer.id;
    order.request = wanted->request;
    order.account = std::move(wanted->account);
    order.session.emplace();
    order.session->facts = std::move(wanted->facts);
    order.session->facts.guest.clear();   // root's tools act as the user, as nobody's guest
    order.session->facts.guest_prefix.clear();
    order.session->facts.returnable = false;   // nobody waits here for the connection
    order.session->client = std::move(wanted->client);
    place(std::move(order));
}

void Usher::expire_asked(Peer& peer, ipc::Packet& packet)
{
    auto wanted = ipc::decode<ipc::ExpireMail>(packet);
    if (!wanted.ok())
        return peer.channel->fail(wanted.take_error());
    Order order;
    order.peer = peer.id;
    order.request = wanted->order;
    order.account = std::move(wanted->account);
    order.expire = true;
    place(std::move(order));
}

void Usher::hand_over_expiry(Order& order, ipc::Channel& control)
{
    Expiring expiring;
    expiring.peer = order.peer;
    expiring.request = order.request;
    expiring.pid = roster_.pid_of(order.account);
    expiring.account = order.account;
    expiring.started = roster_.orders(order.account) == 0;
    roster_.ordered(order.account, util::now());
    expiring.orders = roster_.orders(order.account);
    ipc::ExpireMail message;
    message.order = next_id_++;
    message.rules = settings_.expiry;
    expiring_[message.order] = std::move(expiring);
    control.send(message);
}

void Usher::expired(const std::string& account, const ipc::MailExpired& answer)
{
    auto found = expiring_.find(answer.order);
    if (found == expiring_.end() || found->second.pid != roster_.pid_of(account))
        return;
    Expiring expiring = std::move(found->second);
    expiring_.erase(found);
    // It need not wait for mailbox_idle_time: of its work there is no more.
    if (expiring.started && roster_.orders(account) == expiring.orders)
        retire(account);
    end_expiry(expiring, answer);
}

void Usher::settle_expiry(pid_t pid)
{
    for (auto item = expiring_.begin(); item != expiring_.end();) {
        if (item->second.pid != pid) {
            ++item;
            continue;
        }
        Expiring expiring = std::move(item->second);
        item = expiring_.erase(item);
        end_expiry(expiring, {.failure = "the user's mailbox process has ended"});
    }
}

// Tells who has asked; or goes on with the round.
void Usher::end_expiry(const Expiring& expiring, ipc::MailExpired answer)
{
    if (expiring.peer != 0) {
        answer.order = expiring.request;
        if (ipc::Channel* peer = channel_of(expiring.peer))
            peer->send(answer);
        return;
    }
    if (!answer.failure.empty())
        util::log::warning("old mail of ", expiring.account,
                           " stays until the next time: ", util::printable(answer.failure, 200));
    round_messages_ += answer.messages;
    if (stopping_)
        return;
    if (!to_expire_.empty())
        return expiry_timer_.start(expiry_pause);
    end_round();
}

void Usher::end_round()
{
    util::log::info("old mail: ", round_messages_, " messages were removed in this round");
    plan_expiry(settings_.expire_interval);
}

// Who was never delivered to and has never logged in has no directory, and gets none for this.
bool Usher::has_mail(const std::string& account) const
{
    auto identity = find_account_(account);
    return identity.ok() && util::sys::stat(identity->home).ok();
}

void Usher::plan_expiry(util::Duration latest)
{
    if (!settings_.expiry.empty() && list_accounts_)
        expiry_timer_.start(std::min(settings_.expire_interval, latest));
}

void Usher::expire_next()
{
    if (stopping_)
        return;
    if (to_expire_.empty()) {
        auto accounts =
            settings_.expiry.empty() ? util::Result<std::vector<std::string>>(std::vector<std::string>()) : list_accounts_();
        if (!accounts.ok()) {
            util::log::warning("old mail cannot be removed now: ", accounts.error().text);
            return plan_expiry(first_expiry_time);
        }
        to_expire_ = accounts.take();
        std::ranges::reverse(to_expire_);
        round_messages_ = 0;
        if (to_expire_.empty())
            return plan_expiry(settings_.expire_interval);
        util::log::verbose("removing old mail of ", to_expire_.size(), " users");
    }
    for (int looks = 0; !has_mail(to_expire_.back()); ++looks) {
        if (looks >= expiry_looks)
            return expiry_timer_.start(expiry_pause);
        to_expire_.pop_back();
        if (to_expire_.empty())
            return end_round();
    }
    if (roster_.full() && !roster_.serves(to_expire_.back()))
        return expiry_timer_.start(expiry_room_pause);
    Order order;
    order.account = std::move(to_expire_.back());
    order.expire = true;
    to_expire_.pop_back();
    place(std::move(order));
}

}  // namespace usher
