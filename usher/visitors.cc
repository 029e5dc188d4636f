// Which sessions there are.
#include "usher/visitors.h"

#include <algorithm>

namespace usher {

void Visitors::add(const std::string& account, ipc::SessionFacts facts, std::int64_t now, std::string app_password,
                   std::uint64_t cookie)
{
    auto& visitors = accounts_[account];
    if (visitors.size() < max_of_account)
        visitors.push_back(
            {.facts = std::move(facts), .since = now, .app_password = std::move(app_password), .cookie = cookie});
}

void Visitors::opened(const std::string& account, std::string_view session, std::uint64_t door)
{
    if (auto* visitor = const_cast<Visitor*>(find(account, session)))
        visitor->door = door;
}

void Visitors::ended(const std::string& account, std::string_view session)
{
    auto found = accounts_.find(account);
    if (found == accounts_.end())
        return;
    auto& visitors = found->second;
    auto place = std::find_if(visitors.begin(), visitors.end(),
                              [&](const Visitor& visitor) { return visitor.facts.session == session; });
    if (place != visitors.end())
        visitors.erase(place);
    if (visitors.empty())
        accounts_.erase(found);
}

void Visitors::gone(const std::string& account)
{
    auto found = accounts_.find(account);
    if (found == accounts_.end())
        return;
    std::erase_if(found->second, [](const Visitor& visitor) { return !visitor.parked; });
    if (found->second.empty())
        accounts_.erase(found);
}

const Visitors::Visitor* Visitors::find(const std::string& account, std::string_view session) const
{
    auto found = accounts_.find(account);
    if (found == accounts_.end())
        return nullptr;
    for (const Visitor& visitor : found->second)
        if (visitor.facts.session == session)
            return &visitor;
    return nullptr;
}

bool Visitors::park(const std::string& account, std::string_view session)
{
    auto* visitor = const_cast<Visitor*>(find(account, session));
    return visitor && !std::exchange(visitor->parked, true);
}

void Visitors::unpark(const std::string& account, std::string_view session)
{
    if (auto* visitor = const_cast<Visitor*>(find(account, session)))
        visitor->parked = false;
}

bool Visitors::is_meant(const Visitor& visitor, const ipc::EndSessions& order)
{
    if (!order.session.empty())
        return visitor.facts.session == order.session;
    return !order.account.empty() && order.means(visitor.app_password);
}

std::vector<Visitors::Chosen> Visitors::choose(const ipc::EndSessions& order) const
{
    std::vector<Chosen> chosen;
    for (const auto& item : accounts_) {
        if (!order.account.empty() && item.first != order.account)
            continue;
        Chosen of_account{item.first};
        for (const Visitor& visitor : item.second) {
            if (visitor.parked || !is_meant(visitor, order))
                continue;
            ++of_account.count;
            if (!order.session.empty() || !order.app_password.empty() || order.main_password)
                of_account.sessions.push_back(visitor.facts.session);
        }
        if (of_account.count > 0)
            chosen.push_back(std::move(of_account));
    }
    return chosen;
}

std::vector<std::pair<std::string, std::string>> Visitors::of_guest(const std::string& guest) const
{
    std::vector<std::pair<std::string, std::string>> found;
    for (const auto& item : accounts_)
        for (const Visitor& visitor : item.second)
            if (visitor.facts.guest == guest)
                found.emplace_back(item.first, visitor.facts.session);
    return found;
}

std::size_t Visitors::count(const std::string& account) const
{
    auto found = accounts_.find(account);
    return found == accounts_.end()
               ? 0
               : static_cast<std::size_t>(std::count_if(found->second.begin(), found->second.end(),
                                                        [](const Visitor& visitor) { return !visitor.parked; }));
}

std::vector<ipc::LiveSession> Visitors::all() const
{
    std::vector<ipc::LiveSession> sessions;
    for (const auto& item : accounts_)
        for (const Visitor& visitor : item.second)
            sessions.push_back({item.first, visitor.facts, visitor.since, visitor.app_password, visitor.parked});
    return sessions;
}

}  // namespace usher
