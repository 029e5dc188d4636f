// Usher: connections from one user's mailbox process to another's.
#include "libutil/log.h"
#include "libutil/sys.h"
#include "usher/usher.h"

#include <algorithm>
#include <sys/socket.h>

namespace usher {

namespace {

constexpr std::size_t max_owners_told = 200;   // in one record

}  // namespace

// Who asks is who has this control socket, whatever he says.
bool Usher::told_of_guests(const std::string& account, ipc::Packet& packet)
{
    ipc::Channel& control = *controls_[account];
    if (packet.name() == ipc::OpenGuest::message_name) {
        auto wanted = ipc::decode<ipc::OpenGuest>(packet);
        if (wanted.ok())
            open_guest(account, *wanted);
        else
            control.fail(wanted.take_error());
        return true;
    }
    if (packet.name() == ipc::AskSharers::message_name) {
        auto wanted = ipc::decode<ipc::AskSharers>(packet);
        if (wanted.ok())
            tell_sharers(account, *wanted);
        else
            control.fail(wanted.take_error());
        return true;
    }
    if (packet.name() == ipc::SharedWith::message_name) {
        auto shared = ipc::decode<ipc::SharedWith>(packet);
        if (shared.ok())
            set_shares(account, std::move(shared->identifiers));
        else
            control.fail(shared.take_error());
        return true;
    }
    return false;
}

void Usher::set_shares(const std::string& owner, std::vector<std::string> identifiers)
{
    if (shares_.set(owner, std::move(identifiers)) && !shares_timer_.running())
        shares_timer_.start(shares_delay);
}

void Usher::open_guest(const std::string& account, const ipc::OpenGuest& wanted)
{
    ipc::Channel& control = *controls_[account];
    // Whoever shares nothing with him is to him as if he were not there; and no process is started for him.
    bool public_owner = wanted.owner == settings_.public_account;
    const std::string& prefix = public_owner ? settings_.public_prefix : settings_.other_users_prefix;
    auto refuse_it = [&] { control.send(ipc::GuestRefused{.request = wanted.request}); };
    // Removed since it logged in?  Its process is told to leave by whoever removed it.
    auto self = find_account_(account);
    if (prefix.empty() || !self.ok() || !runs_as(account, *self) || !shares_.permits(wanted.owner, account, self->groups))
        return refuse_it();
    auto known = find_account_(wanted.owner);
    if (!known.ok()) {
        if (known.error().kind == util::Kind::NotFound)
            set_shares(wanted.owner, {});
        return refuse_it();
    }
    // A guest must not fill the owner's control socket: the owner's process would be ended for not reading it.
    if (auto owner = controls_.find(wanted.owner); owner != controls_.end() && owner->second->queued() >= guest_queue_limit)
        return refuse_it();
    auto pair = util::sys::socket_pair(SOCK_STREAM);
    if (!pair.ok()) {
        util::log::warning("a guest's connection: ", pair.error().text);
        return refuse_it();
    }
    ipc::GuestOpened opened;
    opened.request = wanted.request;
    opened.connection = std::move(pair->second);
    control.send(opened);
    Order order;
    order.account = wanted.owner;
    order.of_guest = true;
    order.session.emplace();
    order.session->client = std::move(pair->first);
    order.session->greeting = "* PREAUTH Here they are\r\n";
    ipc::SessionFacts& facts = order.session->facts;
    facts.service = ipc::Service::Imap;
    facts.session = util::concat("guest-", next_id_++);
    facts.client_address = account;
    facts.guest = account;
    facts.owner_disabled = known->disabled;
    facts.guest_prefix = public_owner ? prefix : util::concat(prefix, wanted.owner, "/");
    place(std::move(order));
}

void Usher::tell_sharers(const std::string& account, const ipc::AskSharers& wanted)
{
    auto& told = sharers_told_[account];
    if (told.requests.size() >= max_sharer_questions)
        return controls_[account]->fail(util::invalid("too many questions who shares with this user"));
    told.requests.push_back(wanted.request);
    go_on_telling_sharers(account);
}

// A list is longer than what may wait in the control socket: so the next of it is sent when nothing waits there.
void Usher::go_on_telling_sharers(const std::string& account)
{
    auto found = sharers_told_.find(account);
    auto control = controls_.find(account);
    if (found == sharers_told_.end() || control == controls_.end())
        return;
    SharersTold& told = found->second;
    while (!told.requests.empty() && control->second->is_open() && control->second->queued() == 0) {
        if (!std::exchange(told.begun, true)) {
            auto self = find_account_(account);
            told.owners = shares_.owners_for(account, self.ok() ? self->groups : std::vector<std::string>());
            told.told = 0;
        }
        std::size_t end = std::min(told.owners.size(), told.told + max_owners_told);
        ipc::Sharers answer{.request = told.requests.front(), .owners = {}, .last = end == told.owners.size()};
        answer.owners.assign(told.owners.begin() + std::ptrdiff_t(told.told), told.owners.begin() + std::ptrdiff_t(end));
        told.told = end;
        control->second->send(answer);
        if (answer.last) {
            told.requests.pop_front();
            told.begun = false;
        }
    }
    if (told.requests.empty())
        sharers_told_.erase(found);
}

// One guest's mailbox process, or all guests of one owner, leave others' orders room to wait.
bool Usher::has_share_of_waiting(const Order& order) const
{
    const std::string& guest = order.session->facts.guest;
    std::size_t of_guest = 0;
    std::size_t with_owner = 0;
    for (const Order& other : waiting_) {
        of_guest += other.of_guest && other.session->facts.guest == guest;
        with_owner += other.of_guest && other.account == order.account;
    }
    return of_guest < max_waiting_of_guest && with_owner < max_waiting_of_guests_with;
}

// His own sessions are told.  What he may do as a guest is decided when a session begins: so these end, and begin anew when
// he asks again.
std::size_t Usher::change_groups(const std::string& guest)
{
    if (auto control = controls_.find(guest); control != controls_.end())
        if (auto self = find_account_(guest); self.ok())
            control->second->send(ipc::UserGroups{std::move(self->groups)});
    auto sessions = visitors_.of_guest(guest);
    for (const auto& [owner, session] : sessions)
        if (auto control = controls_.find(owner); control != controls_.end())
            control->second->send(ipc::EndSessions{owner, session});
    return sessions.size();
}

}  // namespace usher
