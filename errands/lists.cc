// Reading lists.
#include "errands/lists.h"

#include "errands/walk.h"
#include "libconf/expand.h"
#include "libconf/words.h"
#include "libmail/address.h"
#include "libutil/log.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace errands {

using util::concat;
using util::Result;

namespace {

constexpr std::size_t max_forward_path = 4000;   // bytes

// What of an address goes into a path: nothing that leads elsewhere.
std::string filtered(std::string_view text, std::string_view allowed)
{
    std::string out(text);
    for (char& c : out)
        if (allowed.find(c) == std::string_view::npos)
            c = '_';
    return out;
}

Result<std::vector<mail::Destination>> parse(std::string_view text, const std::string& path)
{
    auto list = mail::parse_destination_file(text, 100'000);
    if (!list.ok())
        return util::temporary(concat(path, ": ", list.error().text));
    return list;
}

Result<Search> alias_list(const ipc::Place& place, const ListRules& rules)
{
    Search search;
    auto found = TRY(rules.aliases->lookup(std::vector<conf::Key>{{place.name}}));
    if (!found)
        return search;
    auto list = mail::parse_destinations(found->value, 100'000);
    if (!list.ok())
        return util::temporary(concat("alias ", util::printable(place.name, 100), ": ", list.error().text));
    // What a pattern's groups put there a stranger may have chosen.
    bool by_pattern = found->table.find("regexp:") != std::string::npos || found->table.find("pcre:") != std::string::npos;
    for (const mail::Destination& one : *list)
        if (by_pattern && one.kind != mail::Destination::Kind::Address)
            return util::temporary(concat("alias ", util::printable(place.name, 100),
                                          ": commands, files and :include: are not taken from regexp: and pcre: tables"));
    search.result = ipc::ListPart::Result::Found;
    search.list.destinations = list.take();
    search.list.where = Where::Alias;
    for (const auto& table : rules.aliases->all()) {
        if (table->name() != found->table)
            continue;
        std::optional<uid_t> owner = TRY(table->owner());
        if (!owner || *owner == 0)
            break;
        if (rules.users.own_uid && *owner == ::geteuid())
            break;
        auto user = TRY(find_user(*owner));
        if (!user)
            return util::temporary(concat("table ", found->table, " belongs to uid ", *owner, ", who has no name"));
        search.list.owner = std::move(*user);
    }
    return search;
}

Result<Search> forward_list(const ipc::Place& place, std::string_view recipient, const ListRules& rules)
{
    Search search;
    auto user = TRY(find_user(place.name));
    search.result = ipc::ListPart::Result::NoUser;
    if (!user)
        return search;
    search.result = ipc::ListPart::Result::None;
    // A user whose rights are not to be used has no files that count.
    if (!may_become(*user, rules.users).ok())
        return search;
    TRY(become(*user, rules.users));
    for (const std::string& path : TRY(forward_paths(place, recipient, *user, rules))) {
        auto text = read_list_file(path, user->uid, false, rules.size_limit);
        if (!text.ok() && text.error().kind == util::Kind::NotFound)
            continue;
        if (!text.ok() && text.error().kind == util::Kind::Temporary)
            return text.take_error();
        if (!text.ok()) {
            util::log::warning(text.error().text, ": it is passed over");
            continue;
        }
        search.list.destinations = TRY(parse(*text, path));
        search.list.where = Where::Forward;
        search.list.owner = std::move(*user);
        search.result = ipc::ListPart::Result::Found;
        return search;
    }
    return search;
}

// Of root's, where the file is the word of its owner; of root's own files too, so that no path is gone
// through with root's rights.
Result<List> included_by_root(const std::string& path, const ListRules& rules)
{
    List list;
    list.where = Where::Include;
    Named named = TRY(find_named(path));
    uid_t owner = named.status.st_uid;
    if (owner != 0 && !rules.users.own_uid) {
        auto user = TRY(find_user(owner));
        if (!user)
            return util::temporary(concat(path, " belongs to uid ", owner, ", who has no name"));
        // A second name may be in a directory of somebody else, who is not to choose what is read.
        if (named.status.st_nlink > 1)
            return util::permanent(concat(path, " has more than one name"));
        TRY(become(*user, rules.users));
        list.owner = std::move(*user);
        // That file, and not what has its name by now.
        auto text = read_list_file(concat("/proc/self/fd/", named.file.get()), owner, true, rules.size_limit);
        if (!text.ok())
            return text.take_error().in(path);
        list.destinations = TRY(parse(*text, path));
        return list;
    }
    std::string text;
    {
        User own{.name = {}, .uid = ::geteuid(), .gid = ::getegid(), .home = {}, .shell = {}};
        auto guise = TRY(util::Guise::put_on(rules.users.own_uid ? own : rules.default_user, rules.users));
        text = TRY(read_list_file(path, rules.users.own_uid ? ::geteuid() : 0, true, rules.size_limit));
    }
    list.destinations = TRY(parse(text, path));
    return list;
}

Result<List> included(const std::string& path, const List& by, const ListRules& rules)
{
    if (!by.owner)
        return included_by_root(path, rules);
    if (by.where == Where::Alias)
        TRY(become(*by.owner, rules.users));
    std::string text = TRY(read_list_file(path, std::nullopt, true, rules.size_limit));
    List list;
    list.where = Where::Include;
    list.owner = by.owner;
    list.destinations = TRY(parse(text, path));
    return list;
}

}  // namespace

Result<std::vector<std::string>> forward_paths(const ipc::Place& place, std::string_view recipient, const User& user,
                                               const ListRules& rules)
{
    const std::string& filter = rules.forward_filter;
    auto [local, domain] = util::split_first(recipient, '@');
    std::string extension = filtered(place.extension, filter);
    std::pair<std::string_view, std::string> values[] = {
        {"user", filtered(place.name, filter)}, {"home", user.home}, {"shell", user.shell},
        {"recipient", filtered(recipient, filter)}, {"extension", extension},
        {"domain", filtered(domain, filter)}, {"local", filtered(local, filter)},
        {"recipient_delimiter", extension.empty() ? std::string() : rules.recipient_delimiter.substr(0, 1)}};
    auto words = conf::parse_words(rules.forward_path);
    if (!words.ok())
        return words.take_error().in("forward_path");
    std::vector<std::string> paths;
    for (const std::string& word : *words) {
        bool missing = false;
        auto path = conf::expand(word, [&](std::string_view name) -> std::optional<std::string_view> {
            for (const auto& value : values)
                if (value.first == name)
                    return value.second;
            missing = true;
            return std::nullopt;
        });
        if (!path.ok())
            return util::temporary(concat("forward_path: ", path.error().text));
        if (!path->starts_with('/') || path->find("/../") != std::string::npos || path->size() > max_forward_path)
            continue;
        if (std::find(paths.begin(), paths.end(), *path) == paths.end())
            paths.push_back(path.take());
    }
    return paths;
}

Result<std::string> read_list_file(const std::string& path, std::optional<uid_t> owner, bool group_may_write, std::size_t limit,
                                   uid_t* found_owner)
{
    auto file = util::sys::open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!file.ok()) {
        int code = file.error().code;
        if (code == ENOENT || code == ENOTDIR || code == EACCES || code == ELOOP || code == ENAMETOOLONG)
            return util::not_found(file.error().text);
        return util::temporary(file.error().text);
    }
    struct stat status = TRY(util::sys::fstat(file->get()));
    if (found_owner)
        *found_owner = status.st_uid;
    if (!S_ISREG(status.st_mode))
        return util::permanent(concat(path, " is not a regular file"));
    if (owner && status.st_uid != *owner && status.st_uid != 0)
        return util::permanent(concat(path, " belongs to uid ", status.st_uid));
    if (status.st_mode & S_IWOTH)
        return util::permanent(concat(path, " may be written by everybody"));
    if (!group_may_write && (status.st_mode & S_IWGRP))
        return util::permanent(concat(path, " may be written by its group"));
    if (std::uint64_t(status.st_size) > limit)
        return util::permanent(concat(path, " is larger than errands_list_size_limit = ", limit));
    return util::sys::read_fd(file->get(), limit);
}

Result<Search> find_list(const ipc::Place& place, std::string_view recipient, const ListRules& rules)
{
    if (place.kind != ipc::Place::Kind::Alias && place.kind != ipc::Place::Kind::Forward)
        return util::permanent("that place is no list");
    if (place.steps.size() > ipc::max_list_steps)
        return util::permanent("too many :include: in each other");
    Search search =
        place.kind == ipc::Place::Kind::Alias ? TRY(alias_list(place, rules)) : TRY(forward_list(place, recipient, rules));
    for (std::uint32_t step : place.steps) {
        if (search.result != ipc::ListPart::Result::Found)
            return search;
        const auto& destinations = search.list.destinations;
        if (step >= destinations.size() || destinations[step].kind != mail::Destination::Kind::Include)
            return util::temporary("the list was changed meanwhile");
        std::string path = destinations[step].text;
        auto inner = included(path, search.list, rules);
        if (!inner.ok() && inner.error().kind != util::Kind::Temporary)
            return util::temporary(inner.error().text.find(path) == std::string::npos ? concat(path, ": ", inner.error().text)
                                                                                      : inner.error().text);
        search.list = TRY(std::move(inner));
    }
    return search;
}

}  // namespace errands
