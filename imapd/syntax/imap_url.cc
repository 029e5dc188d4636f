// IMAP URLs that name messages.
#include "imapd/syntax/imap_url.h"

#include "imapd/syntax/mailbox_name.h"
#include "libmail/date.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::syntax {

namespace {

constexpr std::string_view scheme = "imap://";

util::Result<std::string> percent_decoded(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        auto byte = util::unhex(text.substr(i + 1, 2));
        if (!byte.ok() || byte->size() != 1)
            return util::invalid("Invalid escape in URL");
        out += *byte;
        i += 2;
    }
    return out;
}

// In front of a parameter; what stands in front of the first one has been taken with the mailbox.
enum class Slash : unsigned char { No, May, Must };

// Takes ";NAME=" and its value, if they stand here.  A value ends where the next parameter begins, whose slash is
// not part of it (RFC 5092 §11: only behind an escape may a value hold a semicolon).
std::optional<std::string_view> take(std::string_view& rest, std::string_view name, Slash slash)
{
    auto text = rest;
    if (text.starts_with('/') ? slash == Slash::No : slash == Slash::Must)
        return std::nullopt;
    text.remove_prefix(text.starts_with('/') ? 1 : 0);
    if (!text.starts_with(';') || !util::starts_with_nocase(text.substr(1), name) ||
        !text.substr(1 + name.size()).starts_with('='))
        return std::nullopt;
    text.remove_prefix(name.size() + 2);
    auto end = text.find(';');
    auto value = text.substr(0, end);
    if (end != std::string_view::npos && value.ends_with('/'))
        value.remove_suffix(1);
    rest = text.substr(value.size());
    return value;
}

util::Result<void> read_partial(std::string_view value, MessageUrl& url)
{
    url.partial = true;
    auto dot = value.find('.');
    url.offset = TRY(util::parse_unsigned(value.substr(0, dot), INT64_MAX));
    if (dot != std::string_view::npos)
        url.length = TRY(util::parse_unsigned(value.substr(dot + 1), INT64_MAX));
    return {};
}

// --- the server ------------------------------------------------------------------------------------

// RFC 3986 §2: what may stand in a URL, and in its path (RFC 5092 §11 has no '?' in the URL of a message).
bool is_url_char(char c)
{
    return util::is_alnum(c) || std::string_view("-._~!$&'()*+,;=:@/%[]").find(c) != std::string_view::npos;
}

// A name that is not empty, as a user's is (RFC 5092 §11 enc-user).
util::Result<std::string> user_name(std::string_view encoded)
{
    auto name = TRY(percent_decoded(encoded));
    bool control = std::any_of(name.begin(), name.end(), [](char c) { return std::uint8_t(c) < ' ' || c == 0x7f; });
    if (name.empty() || control || !util::is_utf8(name))
        return util::invalid("The URL's user is no name");
    return name;
}

bool is_host(std::string_view host)
{
    if (host.starts_with('[')) {
        auto address = host.substr(1, host.size() - 2);
        return host.size() > 4 && host.ends_with(']') && std::all_of(address.begin(), address.end(), [](char c) {
            return util::is_alnum(c) || c == ':' || c == '.';
        });
    }
    return !host.empty() &&
           std::all_of(host.begin(), host.end(), [](char c) { return util::is_alnum(c) || c == '.' || c == '-'; });
}

// "joe;AUTH=*@example.org:143".
util::Result<UrlServer> read_server(std::string_view authority)
{
    UrlServer server;
    if (auto at = authority.find('@'); at != std::string_view::npos) {
        auto user = authority.substr(0, at);
        authority.remove_prefix(at + 1);
        if (auto mechanism = user.find(';'); mechanism != std::string_view::npos) {
            if (!util::starts_with_nocase(user.substr(mechanism), ";AUTH=") || user.size() == mechanism + 6)
                return util::invalid("The URL's user is no name");
            user = user.substr(0, mechanism);
            if (user.empty())   // RFC 5092 §3: there may be a mechanism without one
                return util::invalid("The URL has no user");
        }
        server.user = TRY(user_name(user));
    }
    auto colon = authority.rfind(':');
    if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
        if (auto port = authority.substr(colon + 1); !port.empty())
            server.port = std::uint16_t(TRY(util::parse_unsigned(port, UINT16_MAX)));
        authority = authority.substr(0, colon);
    }
    if (!is_host(authority) || server.port == 0)
        return util::invalid("The URL's server is no host");
    server.host = util::lower(authority);
    return server;
}

// --- URLAUTH ---------------------------------------------------------------------------------------

bool is_mechanism(std::string_view name)
{
    return !name.empty() &&
           std::all_of(name.begin(), name.end(), [](char c) { return util::is_alnum(c) || c == '-' || c == '.'; });
}

bool is_token(std::string_view token)
{
    return token.size() >= min_url_token && std::all_of(token.begin(), token.end(), [](char c) {
        return util::is_digit(c) || (util::to_lower(c) >= 'a' && util::to_lower(c) <= 'f');
    });
}

// "user+joe:INTERNAL:91ab..", the last thing in the URL, where it stands at `offset`.
util::Result<UrlAccess> read_access(std::string_view value, std::size_t offset)
{
    UrlAccess access;
    auto colon = std::min(value.find(':'), value.size());
    access.rump = offset + colon;
    auto whom = value.substr(0, colon);
    if (util::equal_nocase(whom, "anonymous")) {
        access.whom = UrlAccess::Whom::Anonymous;
    } else if (util::equal_nocase(whom, "authuser")) {
        access.whom = UrlAccess::Whom::AuthUser;
    } else if (util::starts_with_nocase(whom, "user+")) {
        access.whom = UrlAccess::Whom::User;
        access.user = TRY(user_name(whom.substr(5)));
    } else if (util::starts_with_nocase(whom, "submit+")) {
        access.whom = UrlAccess::Whom::Submit;
        access.user = TRY(user_name(whom.substr(7)));
    } else {
        return util::invalid("Nobody is known by that access identifier");
    }
    if (colon == value.size())
        return access;
    auto [mechanism, token] = util::split_first(value.substr(colon + 1), ':');
    if (!is_mechanism(mechanism) || !is_token(token))
        return util::invalid("The URL's authorization is malformed");
    access.mechanism = mechanism;
    access.token = token;
    return access;
}

// Behind the message: [";EXPIRE=" date-time] ";URLAUTH=" ...
util::Result<void> read_authorization(std::string_view text, std::string_view& rest, MessageUrl& url)
{
    auto expire = take(rest, "EXPIRE", Slash::No);
    if (expire) {
        auto date = mail::parse_timestamp(*expire);
        if (!date)
            return util::invalid("The URL expires at no time that is known");
        url.expires = date->seconds;
    }
    if (auto access = take(rest, "URLAUTH", Slash::No))
        url.access = TRY(read_access(*access, text.size() - rest.size() - access->size()));
    else if (expire)
        return util::invalid("EXPIRE without URLAUTH");
    return {};
}

}  // namespace

util::Result<MessageUrl> parse_message_url(std::string_view text)
{
    if (text.size() > max_url_length)
        return util::invalid("The URL is too long");
    MessageUrl url;
    auto rest = text;
    if (util::starts_with_nocase(rest, scheme)) {
        if (!std::all_of(text.begin(), text.end(), is_url_char))
            return util::invalid("There is a character in the URL that must be escaped");
        rest.remove_prefix(scheme.size());
        auto authority = rest.substr(0, rest.find('/'));
        url.server = TRY(read_server(authority));
        rest.remove_prefix(authority.size());
    }
    if (rest.starts_with("//") || rest.substr(0, rest.find_first_of("/;")).find(':') != std::string_view::npos)
        return util::invalid("The URL names another server");
    rest.remove_prefix(rest.starts_with('/') ? 1 : 0);
    // A mailbox may have slashes; what ends it is a parameter.
    auto name = rest.substr(0, rest.find(';'));
    rest.remove_prefix(name.size());
    if (name.ends_with('/'))
        name.remove_suffix(1);
    if (!name.empty()) {
        auto decoded = TRY(percent_decoded(name));
        url.mailbox = TRY(decode_mailbox_name(decoded, Form::Utf8));
    }
    if (auto value = take(rest, "UIDVALIDITY", Slash::No))
        url.uid_validity = std::uint32_t(TRY(util::parse_unsigned(*value, UINT32_MAX)));
    auto uid = take(rest, "UID", Slash::May);
    if (!uid)
        return util::invalid("The URL names no message");
    url.uid = std::uint32_t(TRY(util::parse_unsigned(*uid, UINT32_MAX)));
    if (auto value = take(rest, "SECTION", Slash::Must))
        url.section = TRY(percent_decoded(*value));
    if (auto value = take(rest, "PARTIAL", Slash::Must))
        TRY(read_partial(*value, url));
    if (url.server)
        TRY(read_authorization(text, rest, url));
    if (!rest.empty() || url.uid == 0 || (url.server && url.mailbox.empty()))
        return util::invalid("The URL names no message");
    return url;
}

}  // namespace imapd::syntax
