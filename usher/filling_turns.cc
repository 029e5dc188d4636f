// The line of those that would like to fill their search index.
#include "usher/filling_turns.h"

#include <algorithm>

namespace usher {

bool FillingTurns::ask(const std::string& account, pid_t pid)
{
    auto turn = turns_.find(account);
    if (places_.contains(account) || (turn != turns_.end() && turn->second.pid == pid))
        return false;
    places_.emplace(account, next_place_);
    line_.emplace(next_place_++, Waiting{account, pid});
    return true;
}

void FillingTurns::leave_line(const std::string& account)
{
    auto place = places_.find(account);
    if (place == places_.end())
        return;
    line_.erase(place->second);
    places_.erase(place);
}

void FillingTurns::over(const std::string& account, pid_t pid)
{
    auto turn = turns_.find(account);
    if (turn == turns_.end() || turn->second.pid != pid)
        return;
    turns_.erase(turn);
    late_.erase(account);
}

bool FillingTurns::may_have_one(const std::string& account) const
{
    // Whose last process is still leaving with its turn waits for that.
    if (turns_.contains(account))
        return false;
    return !late_.contains(account) ||
           std::ranges::none_of(turns_, [this](const auto& turn) { return late_.contains(turn.first); });
}

std::optional<std::string> FillingTurns::next(util::Instant until)
{
    if (turns_.size() >= limit_)
        return {};
    auto next = std::ranges::find_if(line_, [this](const auto& place) { return may_have_one(place.second.account); });
    if (next == line_.end())
        return {};
    std::string account = std::move(next->second.account);
    turns_.emplace(account, Turn{next->second.pid, until});
    line_.erase(next);
    places_.erase(account);
    return account;
}

std::vector<FillingTurns::Late> FillingTurns::take_late(util::Instant now)
{
    std::vector<Late> late;
    std::erase_if(turns_, [&](const auto& turn) {
        bool is_late = turn.second.until <= now;
        if (is_late)
            late.push_back({turn.first, turn.second.pid});
        return is_late;
    });
    for (const auto& one : late)
        late_.insert(one.account);
    return late;
}

util::Instant FillingTurns::next_late() const
{
    auto next = util::Instant::max();
    for (const auto& turn : turns_)
        next = std::min(next, turn.second.until);
    return next;
}

}  // namespace usher
