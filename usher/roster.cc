// The table of mailbox processes.
#include "usher/roster.h"

#include "libutil/check.h"

namespace usher {

Roster::Residents::iterator Roster::find(std::string_view account)
{
    auto found = by_account_.find(account);
    return found == by_account_.end() ? serving_.end() : found->second;
}

bool Roster::serves(std::string_view account) const
{
    return by_account_.find(account) != by_account_.end();
}

pid_t Roster::pid_of(std::string_view account) const
{
    auto found = by_account_.find(account);
    return found == by_account_.end() ? 0 : found->second->pid;
}

void Roster::started(const std::string& account, pid_t pid, util::Instant now)
{
    CHECK(!serves(account));
    serving_.push_back({.account = account, .pid = pid, .orders = 0, .sessions = 0, .last_order = now});
    by_account_.emplace(account, std::prev(serving_.end()));
}

void Roster::ordered(std::string_view account, util::Instant now)
{
    auto resident = find(account);
    if (resident == serving_.end())
        return;
    ++resident->orders;
    engaged(account, now);
}

void Roster::engaged(std::string_view account, util::Instant now)
{
    auto resident = find(account);
    if (resident == serving_.end())
        return;
    resident->last_order = now;
    serving_.splice(serving_.end(), serving_, resident);
}

std::uint64_t Roster::orders(std::string_view account) const
{
    auto found = by_account_.find(account);
    return found == by_account_.end() ? 0 : found->second->orders;
}

void Roster::session_ordered(std::string_view account, util::Instant now)
{
    ordered(account, now);
    auto resident = find(account);
    if (resident != serving_.end())
        ++resident->sessions;
}

void Roster::sessions_told(std::string_view account, std::uint32_t sessions)
{
    auto resident = find(account);
    if (resident != serving_.end())
        resident->sessions = sessions;
}

std::string Roster::victim(util::Instant latest) const
{
    for (const Resident& resident : serving_) {
        if (resident.sessions == 0)
            return resident.last_order <= latest ? resident.account : std::string();
    }
    return {};
}

void Roster::retire(std::string_view account)
{
    auto resident = find(account);
    if (resident == serving_.end())
        return;
    leaving_.emplace(resident->pid, resident->account);
    by_account_.erase(by_account_.find(account));
    serving_.erase(resident);
}

Roster::Exit Roster::exited(pid_t pid)
{
    if (auto found = leaving_.find(pid); found != leaving_.end()) {
        Exit exit{.account = std::move(found->second), .was_serving = false};
        leaving_.erase(found);
        return exit;
    }
    for (auto resident = serving_.begin(); resident != serving_.end(); ++resident) {
        if (resident->pid != pid)
            continue;
        Exit exit{.account = std::move(resident->account), .was_serving = true};
        by_account_.erase(exit.account);
        serving_.erase(resident);
        return exit;
    }
    return {};
}

}  // namespace usher
