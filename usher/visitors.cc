// Which sessions there are.
#include "usher/visitors.h"

#include <algorithm>

namespace usher {

void Visitors::add(const std::string& account, ipc::SessionFacts facts, std::int64_t now)
{
    auto& visitors = accounts_[account];
    if (visitors.size() < max_of_account)
        visitors.push_back({std::move(facts), now});
}

void Visitors::ended(const std::string& account, std::string_view session)
{
    auto found = accounts_.find(account);
    if (found == accounts_.end())
        return;
    auto& visitors = found->second;
    auto place = std::find_if(visitors.begin(), visitors.end(), [&](const Visitor& visitor) { return visitor.facts.session == session; });
    if (place != visitors.end())
        visitors.erase(place);
    if (visitors.empty())
        accounts_.erase(found);
}

std::vector<Visitors::Chosen> Visitors::choose(const ipc::EndSessions& order) const
{
    std::vector<Chosen> chosen;
    for (const auto& item : accounts_) {
        if (!order.account.empty() && item.first != order.account)
            continue;
        auto count = std::count_if(item.second.begin(), item.second.end(), [&](const Visitor& visitor) {
            return order.session.empty() ? !order.account.empty() : visitor.facts.session == order.session;
        });
        if (count > 0)
            chosen.push_back({item.first, static_cast<std::size_t>(count)});
    }
    return chosen;
}

std::size_t Visitors::count(const std::string& account) const
{
    auto found = accounts_.find(account);
    return found == accounts_.end() ? 0 : found->second.size();
}

std::vector<ipc::LiveSession> Visitors::all() const
{
    std::vector<ipc::LiveSession> sessions;
    for (const auto& item : accounts_)
        for (const Visitor& visitor : item.second)
            sessions.push_back({item.first, visitor.facts, visitor.since});
    return sessions;
}

}  // namespace usher
