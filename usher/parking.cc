// The parked sessions.
#include "usher/parking.h"

#include "libutil/sys.h"

#include <algorithm>
#include <map>
#include <sys/socket.h>

namespace usher {

bool ParkedSession::watches(std::uint64_t mailbox) const
{
    return std::any_of(order.watches.begin(), order.watches.end(),
                       [mailbox](const ipc::Watched& watched) { return watched.mailbox == mailbox; });
}

std::optional<std::string_view> Parking::objection(const ipc::ParkSession& order)
{
    if (order.state.empty() || order.state.size() > ipc::max_parked_state)
        return "its state is too large, or not there";
    if (order.watches.size() > ipc::max_watches || order.late.size() > ipc::max_farewell ||
        order.farewell.size() > ipc::max_farewell)
        return "too much comes with it";
    // Not everything that a descriptor can be can be waited for.
    int type = 0;
    socklen_t size = sizeof type;
    if (!order.client.valid() || ::getsockopt(order.client.get(), SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_STREAM)
        return "its client is no connection";
    return {};
}

bool Parking::has_room(const ipc::ParkSession& order, std::size_t limit) const
{
    return sessions_.size() < limit && bytes_ + order.state.size() <= max_parked_bytes;
}

ParkedSession& Parking::add(const std::string& account, Identity identity, ipc::ParkSession order, util::Instant due)
{
    std::uint64_t number = next_++;
    ParkedSession& added = sessions_[number];
    added.number = number;
    added.account = account;
    added.session = order.session;
    added.identity = std::move(identity);
    added.order = std::move(order);
    added.order.state.shrink_to_fit();
    added.watch =
        util::Watch(loop_, added.order.client.get(), util::Watch::Read, [this, number](unsigned) { stirred_(number); });
    accounts_[account].push_back(number);
    bytes_ += added.bytes();
    set_due(added, due);
    return added;
}

ParkedSession* Parking::find(std::uint64_t number)
{
    auto found = sessions_.find(number);
    return found == sessions_.end() ? nullptr : &found->second;
}

ParkedSession* Parking::find(const std::string& account, std::string_view session)
{
    auto found = accounts_.find(account);
    if (found == accounts_.end())
        return nullptr;
    for (std::uint64_t number : found->second)
        if (ParkedSession* one = find(number); one && one->session == session)
            return one;
    return nullptr;
}

void Parking::remove(std::uint64_t number)
{
    auto found = sessions_.find(number);
    if (found == sessions_.end())
        return;
    bytes_ -= found->second.bytes();
    due_.erase({found->second.due, number});
    if (auto of_account = accounts_.find(found->second.account); of_account != accounts_.end()) {
        std::erase(of_account->second, number);
        if (of_account->second.empty())
            accounts_.erase(of_account);
    }
    util::sys::close_at_once(found->second.order.client);
    sessions_.erase(found);
}

void Parking::wake(ParkedSession& session)
{
    session.state = ParkedSession::State::Waking;
    session.watch.reset();
    set_due(session, util::Instant::max());
}

void Parking::set_due(ParkedSession& session, util::Instant due)
{
    due_.erase({session.due, session.number});
    session.due = due;
    if (due != util::Instant::max())
        due_.emplace(due, session.number);
}

std::vector<std::uint64_t> Parking::due(util::Instant now) const
{
    std::vector<std::uint64_t> numbers;
    for (const auto& entry : due_) {
        if (entry.first > now)
            break;
        numbers.push_back(entry.second);
    }
    return numbers;
}

std::vector<std::string> Parking::accounts(const std::string& name) const
{
    std::vector<std::string> names;
    if (!name.empty() && accounts_.contains(name))
        names.push_back(name);
    if (name.empty())
        for (const auto& entry : accounts_)
            names.push_back(entry.first);
    return names;
}

std::vector<std::uint64_t> Parking::of(const std::string& account) const
{
    auto found = accounts_.find(account);
    return found == accounts_.end() ? std::vector<std::uint64_t>() : found->second;
}

std::size_t Parking::count(const std::string& account) const
{
    auto found = accounts_.find(account);
    return found == accounts_.end() ? 0 : found->second.size();
}

std::vector<ipc::Watched> Parking::watches_of(const std::string& account) const
{
    std::map<std::uint64_t, std::uint64_t> lowest;
    for (std::uint64_t number : of(account)) {
        const ParkedSession& session = sessions_.at(number);
        if (session.state != ParkedSession::State::Parked)
            continue;
        for (const ipc::Watched& watched : session.order.watches) {
            auto entry = lowest.emplace(watched.mailbox, watched.position);
            // Of the list it is no position, but one of them differs if they do.
            if (!entry.second && watched.position < entry.first->second)
                entry.first->second = watched.position;
        }
    }
    std::vector<ipc::Watched> watches;
    for (const auto& entry : lowest)
        watches.push_back({entry.first, entry.second});
    return watches;
}

std::vector<std::uint64_t> Parking::all() const
{
    std::vector<std::uint64_t> numbers;
    for (const auto& entry : sessions_)
        numbers.push_back(entry.first);
    return numbers;
}

}  // namespace usher
