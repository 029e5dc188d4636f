// LIST and LSUB of other users' mailboxes: each owner's process is asked in turn (relay.h).
#include "imapd/engine/relay.h"

#include "imapd/engine/format.h"
#include "imapd/engine/list_pattern.h"
#include "imapd/engine/session.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

namespace {

// Can the pattern fit anything below this prefix?
bool reaches_below(std::string_view pattern, std::string_view prefix)
{
    auto wild = pattern.find_first_of("*%");
    auto fixed = pattern.substr(0, wild);
    if (wild == pattern.npos)
        return fixed.starts_with(prefix);
    if (!fixed.starts_with(prefix) && !prefix.starts_with(fixed))
        return false;
    return pattern.find('*') != pattern.npos ||
           std::count(pattern.begin(), pattern.end(), '/') >= std::count(prefix.begin(), prefix.end(), '/');
}

}  // namespace

// True: the answer comes when the others have answered.
bool Session::list_others(const std::vector<std::string>& patterns, std::string_view text)
{
    if (!relay_)
        return false;
    const auto& names = relay_->names();
    auto any = [&patterns](auto fits) { return std::any_of(patterns.begin(), patterns.end(), fits); };
    auto concerned = [&](const std::string& prefix) {
        return !prefix.empty() && any([&](const std::string& pattern) {
                   auto root = std::string_view(prefix).substr(0, prefix.size() - 1);
                   auto wild = pattern.find_first_of("*%");
                   auto fixed = std::string_view(pattern).substr(0, wild);
                   return matches_pattern(root, pattern) || fixed.starts_with(prefix) ||
                          (wild != pattern.npos && prefix.starts_with(fixed) && reaches_below(pattern, prefix));
               });
    };
    if (!concerned(names.others) && !concerned(names.shared))
        return false;
    wait_for_remote(remote_list_patience);
    relay_->ask_owners([this, patterns, text = std::string(text)](std::vector<std::string> owners) {
        if (owners.size() > max_listed_owners)
            owners.resize(max_listed_owners);
        const auto& others = relay_->names().others;
        bool any_other =
            std::any_of(owners.begin(), owners.end(), [&](const auto& owner) { return owner != relay_->names().shared_owner; });
        if (any_other && !others.empty())
            tell_namespace_node(std::string_view(others).substr(0, others.size() - 1), patterns);
        list_next(std::move(owners), 0, patterns, text);
    });
    return true;
}

void Session::tell_namespace_node(std::string_view name, const std::vector<std::string>& patterns)
{
    if (std::none_of(patterns.begin(), patterns.end(), [&](const auto& pattern) { return matches_pattern(name, pattern); }))
        return;
    output_ += "* LIST (\\Noselect \\HasChildren) \"/\" ";
    append_name(output_, name);
    output_ += "\r\n";
}

void Session::list_next(std::vector<std::string> owners, std::size_t at, std::vector<std::string> patterns, std::string text)
{
    for (; at < owners.size() && !finished_; ++at) {
        auto prefix = relay_->prefix_of(owners[at]);
        if (prefix.empty() || prefix == "/")
            continue;
        bool below =
            std::any_of(patterns.begin(), patterns.end(), [&](const auto& pattern) { return reaches_below(pattern, prefix); });
        if (!below) {
            tell_namespace_node(std::string_view(prefix).substr(0, prefix.size() - 1), patterns);
            continue;
        }
        const std::string owner = owners[at];
        auto command = non_synchronizing(text);
        remote_since_ = util::now();
        relay_->command(owner, std::move(command),
                        [this, owners = std::move(owners), at, patterns = std::move(patterns),
                         text = std::move(text)](std::string_view) mutable {
                            list_next(std::move(owners), at + 1, std::move(patterns), std::move(text));
                        });
        return;
    }
    remote_answered("OK LIST completed");
}

}  // namespace imapd::engine
