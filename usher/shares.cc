// Who shares with whom, in memory and on disk: a line for each owner, his name and the identifiers between tabs.
#include "usher/shares.h"

#include "libconf/group_name.h"
#include "libutil/log.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <algorithm>
#include <cerrno>

namespace usher {

namespace {

bool is_name(std::string_view name)
{
    return !name.empty() && name.size() <= 320 && name.find_first_of("\t\n") == name.npos;
}

bool mean(const std::set<std::string, std::less<>>& identifiers, const std::vector<std::string>& meant)
{
    return std::ranges::any_of(meant, [&](const std::string& one) { return identifiers.contains(one); });
}

}  // namespace

Shares::Shares(std::string file) : file_(std::move(file))
{
    if (file_.empty())
        return;
    auto text = util::sys::read_file(file_, max_shares_file);
    if (!text.ok()) {
        if (text.error().code != ENOENT)
            util::log::warning(text.error().text);
        return;
    }
    std::string_view rest = *text;
    while (!rest.empty() && by_owner_.size() < max_owners) {
        auto [line, more] = util::split_first(rest, '\n');
        rest = more;
        auto words = util::split(line, '\t');
        if (words.size() < 2 || !is_name(words[0]))
            continue;
        auto& identifiers = by_owner_[std::string(words[0])];
        for (std::size_t i = 1; i < words.size(); ++i)
            if (is_name(words[i]))
                identifiers.emplace(words[i]);
    }
}

bool Shares::set(const std::string& owner, std::vector<std::string> identifiers)
{
    std::set<std::string, std::less<>> wanted;
    for (auto& name : identifiers)
        if (is_name(name))
            wanted.insert(std::move(name));
    auto found = by_owner_.find(owner);
    if (found == by_owner_.end() ? wanted.empty() : found->second == wanted)
        return false;
    if (found == by_owner_.end() && (by_owner_.size() >= max_owners || !is_name(owner)))
        return false;
    if (wanted.empty())
        by_owner_.erase(found);
    else
        by_owner_[owner] = std::move(wanted);
    unsaved_ = true;
    return true;
}

bool Shares::permits(std::string_view owner, std::string_view account, const std::vector<std::string>& groups) const
{
    auto found = by_owner_.find(owner);
    return found != by_owner_.end() && owner != account && mean(found->second, conf::identifiers_of(account, groups));
}

std::vector<std::string> Shares::owners_for(std::string_view account, const std::vector<std::string>& groups) const
{
    std::vector<std::string> owners;
    auto meant = conf::identifiers_of(account, groups);
    for (const auto& [owner, identifiers] : by_owner_)
        if (owner != account && mean(identifiers, meant))
            owners.push_back(owner);
    return owners;
}

void Shares::save()
{
    if (!std::exchange(unsaved_, false) || file_.empty())
        return;
    std::string text;
    for (const auto& [owner, identifiers] : by_owner_) {
        text += owner;
        for (const auto& name : identifiers)
            util::append(text, "\t", name);
        text += "\n";
    }
    if (auto saved = util::sys::replace_file(file_, text, 0600); !saved.ok())
        util::log::warning(file_, ": ", saved.error().text);
}

}  // namespace usher
