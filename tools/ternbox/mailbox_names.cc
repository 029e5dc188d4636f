// Which mailboxes are meant.
#include "tools/ternbox/mailbox_names.h"

#include "libutil/text.h"

#include <algorithm>

namespace ternbox {

namespace {

// How the names of mailboxes begin that are other users', or public (RFC 2342).
util::Result<std::vector<std::string>> foreign_prefixes(ImapSession& session)
{
    std::vector<std::string> prefixes;
    TRY(session.command("NAMESPACE", [&](const Response& response) -> util::Result<void> {
        const auto& values = response.values;
        for (std::size_t i = 2; i < values.size() && values[0].is("NAMESPACE"); ++i)
            for (const auto& one : values[i].items)
                if (!one.items.empty() && !one.items.front().text.empty())
                    prefixes.push_back(one.items.front().text);
        return {};
    }));
    return prefixes;
}

}  // namespace

bool Listed::has(std::string_view attribute) const
{
    return std::ranges::any_of(attributes, [&](const auto& one) { return util::equal_nocase(one, attribute); });
}

bool is_line(std::string_view text)
{
    return util::is_utf8(text) && text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

std::string shown(std::string_view name)
{
    auto text = util::printable(name, name.size());
    bool plain = text.size() == name.size() + std::size_t(std::ranges::count(name, '\\'));
    return plain ? std::string(name) : text;
}

util::Result<std::vector<Listed>> list_mailboxes(ImapSession& session, const std::vector<std::string>& patterns)
{
    std::vector<Listed> found;
    auto take = [&](const Response& response) -> util::Result<void> {
        const auto& values = response.values;
        if (values.size() < 4 || !values[0].is("LIST") || values[1].kind != Value::Kind::List)
            return {};
        Listed listed;
        listed.name = values[3].text;
        for (const auto& attribute : values[1].items)
            listed.attributes.push_back(attribute.text);
        found.push_back(std::move(listed));
        return {};
    };
    for (const auto& pattern : patterns)
        TRY(session.command(util::concat("LIST \"\" ", quoted(pattern), " RETURN (SUBSCRIBED CHILDREN SPECIAL-USE)"), take));
    std::ranges::sort(found, {}, &Listed::name);
    auto same = std::ranges::unique(found, {}, &Listed::name);
    found.erase(same.begin(), same.end());
    return found;
}

util::Result<std::vector<Listed>> mailboxes_of(ImapSession& session, const std::vector<std::string>& names)
{
    auto patterns = names.empty() ? std::vector<std::string>{"*"} : names;
    for (const auto& pattern : names)
        if (pattern.find_first_of("*%") == std::string::npos && TRY(list_mailboxes(session, {pattern})).empty())
            return util::not_found(util::concat("there is no mailbox ", util::printable(pattern, 200)));
    auto found = TRY(list_mailboxes(session, patterns));
    std::erase_if(found, [](const Listed& one) { return one.has("\\Noselect") || one.has("\\NonExistent"); });
    if (names.empty())
        for (const auto& prefix : TRY(foreign_prefixes(session)))
            std::erase_if(found, [&](const Listed& one) { return one.name.starts_with(prefix); });
    return found;
}

}  // namespace ternbox
