// access(5): keys and actions.
#include "smtpd/access.h"

#include "libmail/dsn_status.h"
#include "libutil/text.h"

#include <algorithm>

namespace smtpd {

std::vector<conf::Key> domain_keys(std::string_view name, Parents parents)
{
    std::vector<conf::Key> keys;
    keys.push_back({std::string(name), false});
    for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
        if (dot + 1 == name.size())
            break;
        keys.push_back({std::string(name.substr(parents == Parents::ByDot ? dot : dot + 1)), true});
    }
    return keys;
}

std::vector<conf::Key> address_keys(std::string_view address)
{
    std::vector<conf::Key> keys;
    keys.push_back({std::string(address), false});
    char separator = address.find(':') == std::string_view::npos ? '.' : ':';
    while (true) {
        std::size_t last = address.rfind(separator);
        if (last == std::string_view::npos || last == 0)
            return keys;
        address = address.substr(0, last);
        // "2001:db8::1" has an empty part in its middle.
        while (!address.empty() && address.back() == separator)
            address.remove_suffix(1);
        if (address.empty())
            return keys;
        keys.push_back({std::string(address), true});
    }
}

std::vector<conf::Key> mail_keys(const mail::Address& address, std::string_view delimiters,
                                 std::string_view null_key, Parents parents)
{
    if (address.is_null())
        return {{std::string(null_key), false}};
    auto [user, extension] = mail::split_extension(address.local_part, delimiters);
    bool extended = user.size() != address.local_part.size();
    std::vector<conf::Key> keys;
    keys.push_back({mail::to_text(address), false});
    if (extended)
        keys.push_back({mail::to_text({std::string(user), address.domain}), true});
    for (conf::Key& key : domain_keys(address.domain, parents))
        keys.push_back({std::move(key.text), true});
    keys.push_back({mail::quote_local_part(address.local_part) + '@', true});
    if (extended)
        keys.push_back({mail::quote_local_part(user) + '@', true});
    return keys;
}

namespace {

struct Word {
    std::string_view name;
    AccessAction::Kind kind;
    bool order = false;   // something for the message as a whole
};

constexpr Word words[] = {
    {"OK", AccessAction::Kind::Permit},
    {"DUNNO", AccessAction::Kind::Dunno},
    {"REJECT", AccessAction::Kind::Reject},
    {"DEFER", AccessAction::Kind::Defer},
    {"DEFER_IF_PERMIT", AccessAction::Kind::DeferIfPermit},
    {"DEFER_IF_REJECT", AccessAction::Kind::DeferIfReject},
    {"WARN", AccessAction::Kind::Warn},
    {"INFO", AccessAction::Kind::Info},
    {"DISCARD", AccessAction::Kind::Discard, true},
    {"HOLD", AccessAction::Kind::Hold, true},
    {"FILTER", AccessAction::Kind::Filter, true},
    {"REDIRECT", AccessAction::Kind::Redirect, true},
    {"BCC", AccessAction::Kind::Bcc, true},
    {"PREPEND", AccessAction::Kind::Prepend, true},
};

// The text of a refusal may begin with an enhanced status code.
AccessAction with_status(AccessAction::Kind kind, int code, std::string_view text)
{
    std::string_view dsn = mail::leading_dsn_status(text);
    return {kind, code, std::string(dsn), std::string(util::trim(text.substr(dsn.size())))};
}

}  // namespace

AccessAction parse_access(std::string_view value)
{
    using Kind = AccessAction::Kind;
    value = util::trim(value);
    std::size_t end = std::min(value.find_first_of(" \t"), value.size());
    std::string_view word = value.substr(0, end);
    std::string_view rest = util::trim(value.substr(end));

    bool number = !word.empty() && std::ranges::all_of(word, util::is_digit);
    if (number && word.size() == 3 && (word[0] == '4' || word[0] == '5') && !rest.empty()) {
        int code = int(util::parse_unsigned(word).value_or(0));
        return with_status(Kind::Reply, code, rest);
    }
    if (number && rest.empty())
        return {Kind::Permit, 0, {}, {}};
    for (const Word& known : words) {
        if (!util::equal_nocase(word, known.name))
            continue;
        if (known.kind == Kind::Reject || known.kind == Kind::Defer || known.kind == Kind::DeferIfPermit ||
            known.kind == Kind::DeferIfReject)
            return with_status(known.kind, 0, rest);
        return {known.kind, 0, {}, std::string(rest)};
    }
    return {Kind::Restrictions, 0, {}, std::string(value)};
}

std::string_view order_name(AccessAction::Kind kind)
{
    auto known = std::ranges::find(words, kind, &Word::kind);
    return known != std::end(words) && known->order ? known->name : std::string_view();
}

}  // namespace smtpd
