// Usher: who is there, and asking some to go.
#include "libutil/log.h"
#include "usher/usher.h"

#include <algorithm>

namespace usher {

namespace {

// Puts the next items of a list into an answer; how many are left.
template <typename Item>
std::size_t take_some(std::vector<Item>& from, std::vector<Item>& to)
{
    std::size_t count = std::min(from.size(), ipc::max_who_items);
    to.assign(std::make_move_iterator(from.end() - std::ptrdiff_t(count)), std::make_move_iterator(from.end()));
    from.resize(from.size() - count);
    return from.size();
}

}  // namespace

void Usher::tell_who(ipc::Channel& channel) const
{
    std::vector<ipc::LiveSession> sessions = visitors_.all();
    std::vector<ipc::LiveMailbox> mailboxes;
    std::int64_t now = util::wall_now().time_since_epoch().count();
    for (const auto& item : controls_) {
        ipc::LiveMailbox mailbox;
        mailbox.account = item.first;
        mailbox.pid = roster_.pid_of(item.first);
        mailbox.sessions = static_cast<std::uint32_t>(visitors_.count(item.first));
        if (auto life = lives_.find(mailbox.pid); life != lives_.end()) {
            mailbox.since = now - (util::now() - life->second.since).count();
            mailbox.ready = life->second.ready;
        }
        mailboxes.push_back(std::move(mailbox));
    }
    ipc::WhoAnswer answer;
    do {
        std::size_t left = take_some(sessions, answer.sessions);
        left += take_some(mailboxes, answer.mailboxes);
        answer.last = left == 0;
        channel.send(answer);
    } while (!answer.last);
}

namespace {

bool means(const ipc::EndSessions& order, const std::string& account, const std::string& app_password)
{
    return !order.account.empty() && order.session.empty() && order.account == account && order.means(app_password);
}

}  // namespace

// Those that are about to begin, too: who ends sessions has changed what their log-ins were worth.
std::size_t Usher::end_beginning(const ipc::EndSessions& order)
{
    std::size_t count = 0;
    for (std::size_t left = waiting_.size(); left > 0; --left) {
        Order waiting = std::move(waiting_.front());
        waiting_.pop_front();
        if (waiting.session && !waiting.parked && means(order, waiting.account, waiting.app_password)) {
            refuse(waiting, false, "ended by request");
            ++count;
        } else {
            waiting_.push_back(std::move(waiting));
        }
    }
    // Whose these are, auth(8) has not said yet.
    if (!order.account.empty() && order.session.empty())
        for (auto& entry : tickets_)
            if (entry.second.ended.size() < max_ended)
                entry.second.ended.push_back(order);
    return count;
}

bool Usher::was_ended(const Ticket& ticket, const ipc::TicketRedeemed& answer)
{
    return ticket.ended.size() == max_ended || std::ranges::any_of(ticket.ended, [&](const ipc::EndSessions& order) {
               return means(order, answer.account, answer.app_password);
           });
}

void Usher::end_sessions(ipc::Channel& channel, const ipc::EndSessions& order)
{
    ipc::SessionsEnding ending;
    ending.count = end_beginning(order);
    for (const std::string& account : parking_.accounts(order.account))
        ending.count += end_parked(order, account);
    for (const Visitors::Chosen& chosen : visitors_.choose(order)) {
        auto control = controls_.find(chosen.account);
        if (control == controls_.end())
            continue;
        util::log::info(
            chosen.count, chosen.count == 1 ? " session" : " sessions", " of ", chosen.account, " to be ended by request",
            order.main_password          ? " (another password)"
            : order.app_password.empty() ? ""
                                         : util::concat(" (app password ", util::printable(order.app_password, 64), ")"));
        if (chosen.sessions.empty())
            control->second->send(ipc::EndSessions{chosen.account, {}});
        for (const std::string& session : chosen.sessions)
            control->second->send(ipc::EndSessions{chosen.account, session});
        ending.count += chosen.count;
    }
    // What brings mail to an account that is gone ends with its process.
    if (controls_.contains(order.account) && order.session.empty() && order.app_password.empty() && !order.main_password) {
        auto identity = find_account_(order.account);
        bool gone = identity.ok() ? !runs_as(order.account, *identity) : identity.error().kind == util::Kind::NotFound;
        if (gone)
            retire(order.account);
    }
    channel.send(ending);
}

}  // namespace usher
