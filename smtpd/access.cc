// access(5): keys and actions.
#include "smtpd/access.h"

#include "libmail/dsn_status.h"
#include "libutil/text.h"

#include <algorithm>

namespace smtpd {

std::vector<conf::Key> domain_keys(std::string_view name)
{
    std::vector<conf::Key> keys;
    keys.push_back({std::string(name), false});
    for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
        if (dot + 1 == name.size())
            break;
        keys.push_back({std::string(name.substr(dot)), true});
        keys.push_back({std::string(name.substr(dot + 1)), true});
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
                                 std::string_view null_key)
{
    if (address.is_null())
        return {{std::string(null_key), false}};
    auto [user, extension] = mail::split_extension(address.local_part, delimiters);
    bool extended = user.size() != address.local_part.size();
    std::vector<conf::Key> keys;
    keys.push_back({mail::to_text(address), false});
    if (extended)
        keys.push_back({mail::to_text({std::string(user), address.domain}), true});
    for (conf::Key& key : domain_keys(address.domain))
        keys.push_back({std::move(key.text), true});
    keys.push_back({mail::quote_local_part(address.local_part) + '@', true});
    if (extended)
        keys.push_back({mail::quote_local_part(user) + '@', true});
    return keys;
}

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
        std::string_view dsn = mail::leading_dsn_status(rest, code);
        std::string_view text = util::trim(rest.substr(dsn.size()));
        return {Kind::Reply, code, std::string(dsn), std::string(text)};
    }
    if (number && rest.empty())
        return {Kind::Permit, 0, {}, {}};
    struct Word {
        std::string_view name;
        Kind kind;
    };
    static constexpr Word words[] = {
        {"OK", Kind::Permit}, {"DUNNO", Kind::Dunno}, {"REJECT", Kind::Reject}, {"DEFER", Kind::Defer},
        {"DEFER_IF_PERMIT", Kind::DeferIfPermit}, {"DEFER_IF_REJECT", Kind::DeferIfReject},
        {"DISCARD", Kind::Discard}, {"PREPEND", Kind::Prepend}, {"WARN", Kind::Warn},
        {"INFO", Kind::Info}, {"HOLD", Kind::Hold}, {"FILTER", Kind::Filter},
        {"REDIRECT", Kind::Redirect}, {"BCC", Kind::Bcc},
    };
    for (const Word& known : words) {
        // OK and DUNNO take no text: "OK something" is a list of restrictions, and wrong.
        bool bare = known.kind == Kind::Permit || known.kind == Kind::Dunno;
        if (util::equal_nocase(word, known.name) && !(bare && !rest.empty()))
            return {known.kind, 0, {}, std::string(rest)};
    }
    return {Kind::Restrictions, 0, {}, std::string(value)};
}

}  // namespace smtpd
