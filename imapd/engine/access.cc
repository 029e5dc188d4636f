// Access control lists: their text, and what follows from them.
#include "imapd/engine/access.h"

#include "libconf/group_name.h"
#include "libmail/normal_form.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

namespace {

constexpr std::string_view letters = "lrswipkxtea";

// An identifier in capitals is the same user.
std::string lower(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return out;
}

}  // namespace

util::Result<Rights> parse_rights(std::string_view text)
{
    Rights rights = right::None;
    for (char letter : text) {
        if (letter == 'c')
            rights |= right::Create | right::DeleteMailbox;
        else if (letter == 'd')
            rights |= right::DeleteMessages | right::Expunge;
        else if (auto at = letters.find(letter); at != letters.npos)
            rights |= Rights(1) << at;
        else
            return util::invalid(letter >= 'A' && letter <= 'Z' ? "Uppercase rights are not allowed"
                                                                : "There is no such right");
    }
    return rights;
}

std::string rights_text(Rights rights)
{
    std::string out;
    for (std::size_t i = 0; i < letters.size(); ++i)
        if (rights >> i & 1)
            out += letters[i];
    if (rights & (right::Create | right::DeleteMailbox))
        out += 'c';
    if (rights & (right::DeleteMessages | right::Expunge))
        out += 'd';
    return out.empty() ? "\"\"" : out;
}

AccessList AccessList::of(const store::MailboxFacts& mailbox)
{
    auto found = mailbox.annotations.find(access_annotation);
    return found == mailbox.annotations.end() ? AccessList() : parse(found->second.value);
}

// Lines of rights, a space, and the identifier, which may hold spaces.
AccessList AccessList::parse(std::string_view text)
{
    AccessList list;
    while (!text.empty() && list.entries_.size() < max_access_entries) {
        auto [line, rest] = util::split_first(text, '\n');
        text = rest;
        auto [letters_of, identifier] = util::split_first(line, ' ');
        auto rights = parse_rights(letters_of);
        if (rights.ok() && !identifier.empty())
            list.entries_.push_back({std::string(identifier), *rights});
    }
    return list;
}

std::string AccessList::text() const
{
    std::string out;
    for (const auto& entry : entries_) {
        for (std::size_t i = 0; i < letters.size(); ++i)
            if (entry.rights >> i & 1)
                out += letters[i];
        util::append(out, " ", entry.identifier, "\n");
    }
    return out;
}

const AccessEntry* AccessList::find(std::string_view identifier) const
{
    auto found = std::find_if(entries_.begin(), entries_.end(),
                              [&](const AccessEntry& entry) { return entry.identifier == identifier; });
    return found == entries_.end() ? nullptr : &*found;
}

util::Result<void> AccessList::set(std::string_view identifier, Rights rights)
{
    auto found = std::find_if(entries_.begin(), entries_.end(),
                              [&](const AccessEntry& entry) { return entry.identifier == identifier; });
    if (found != entries_.end())
        found->rights = rights;
    else if (entries_.size() >= max_access_entries)
        return util::invalid("too many entries in this access control list");
    else
        entries_.push_back({std::string(identifier), rights});
    return {};
}

bool AccessList::remove(std::string_view identifier)
{
    return std::erase_if(entries_, [&](const AccessEntry& entry) { return entry.identifier == identifier; }) > 0;
}

Rights AccessList::rights_of(std::string_view user, std::string_view owner, const std::vector<std::string>& groups) const
{
    bool is_owner = user == owner;
    if (entries_.empty())
        return is_owner ? right::All : right::None;
    const auto meant = conf::identifiers_of(user, groups);
    Rights granted = right::None;
    Rights taken = right::None;
    bool named = false;
    for (const auto& entry : entries_) {
        std::string_view identifier = entry.identifier;
        bool negative = identifier.starts_with('-');
        if (negative)
            identifier.remove_prefix(1);
        if (std::ranges::find(meant, identifier) == meant.end())
            continue;
        (negative ? taken : granted) |= entry.rights;
        named = named || (!negative && identifier == user);
    }
    if (!is_owner)
        return granted & ~taken;
    if (!named)
        granted = right::All;
    return (granted & ~taken) | right::Owners;
}

void AccessList::add_sharers(std::string_view owner, std::vector<std::string>& out) const
{
    // Also rights without "l" open a mailbox to who knows its name.
    for (const auto& entry : entries_)
        if (!entry.identifier.starts_with('-') && entry.identifier != owner && entry.rights != right::None)
            out.push_back(entry.identifier);
}

// RFC 4314 §3 asks for SASLprep of RFC 4013; names are compared in their normal form here, as log-ins are (RFC 8265).
util::Result<std::string> prepared_identifier(std::string_view given, std::string_view owner)
{
    bool negative = given.starts_with('-');
    std::string name = lower(mail::normal_form(negative ? given.substr(1) : given));
    if (name.empty() || name.size() > max_identifier_length || !util::is_utf8(name))
        return util::invalid("The identifier is empty, too long, or no text");
    if (std::any_of(name.begin(), name.end(), [](char c) { return std::uint8_t(c) < ' ' || c == 0x7f; }))
        return util::invalid("There is a control character in the identifier");
    if (name.starts_with('$'))
        return util::not_found("A group is group=NAME here");
    if (name.starts_with(conf::group_prefix) && !conf::is_group_name(std::string_view(name).substr(conf::group_prefix.size())))
        return util::invalid("That is no name of a group");
    if (name != conf::anyone && !name.starts_with(conf::group_prefix) && name.find('@') == name.npos)
        if (auto domain = owner.rfind('@'); domain != owner.npos)
            name += owner.substr(domain);
    return negative ? "-" + name : name;
}

std::vector<std::string> sharers_of(const store::Store& store, std::string_view owner)
{
    std::vector<std::string> all;
    for (const auto& [name, id] : store.mailboxes()) {
        const auto& annotations = store.annotations(id);
        if (auto found = annotations.find(access_annotation); found != annotations.end())
            AccessList::parse(found->second.value).add_sharers(owner, all);
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

}  // namespace imapd::engine
