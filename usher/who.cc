// Usher: who is there, and asking some to go.
#include "libutil/log.h"
#include "usher/usher.h"

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

void Usher::end_sessions(ipc::Channel& channel, const ipc::EndSessions& order)
{
    ipc::SessionsEnding ending;
    for (const Visitors::Chosen& chosen : visitors_.choose(order)) {
        auto control = controls_.find(chosen.account);
        if (control == controls_.end())
            continue;
        util::log::info(chosen.count, chosen.count == 1 ? " session" : " sessions", " of ", chosen.account, " to be ended by request");
        control->second->send(ipc::EndSessions{chosen.account, order.session});
        ending.count += chosen.count;
    }
    channel.send(ending);
}

}  // namespace usher
