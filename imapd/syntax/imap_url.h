// The IMAP URLs that name a message, or a part of one: RFC 5092 §6, §7, §11; RFC 4469 §3 (CATENATE), RFC 4467 (URLAUTH).
#pragma once

#include "libutil/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace imapd::syntax {

constexpr std::size_t max_url_length = 4096;
constexpr std::size_t min_url_token = 32;       // hexadecimal digits (RFC 4467 §9)
constexpr std::uint16_t imap_port = 143;        // where a URL names none

// "imap://joe;AUTH=*@example.org:143/".
struct UrlServer {
    std::string user;                            // UTF-8; empty: none is named
    std::string host;                            // in lower case; [::1] with its brackets
    std::uint16_t port = imap_port;
};

// ";URLAUTH=user+joe:INTERNAL:91ab..": whom the URL is for, and the proof (RFC 4467 §3).
struct UrlAccess {
    enum class Whom : unsigned char { Anonymous, AuthUser, User, Submit };
    Whom whom = Whom::Anonymous;
    std::string user;                            // of User and Submit, UTF-8
    std::size_t rump = 0;                        // so many bytes of the URL are what the token is made of (RFC 4467 §6)
    std::string mechanism;                       // as written; empty: there is no token yet
    std::string token;                           // its hexadecimal digits
};

struct MessageUrl {
    std::optional<UrlServer> server;
    std::string mailbox;                         // UTF-8; empty: the selected one
    std::optional<std::uint32_t> uid_validity;
    std::uint32_t uid = 0;
    std::string section;                         // "1.2.MIME"; empty: all of it
    bool partial = false;
    std::uint64_t offset = 0;
    std::optional<std::uint64_t> length;         // to the end, if not given
    std::optional<std::int64_t> expires;         // the last second in which it is good, since 1970; only with access
    std::optional<UrlAccess> access;
};

// "/Drafts;UIDVALIDITY=385759045/;UID=30/;SECTION=1.2/;PARTIAL=0.1024" or, of the selected mailbox,
// "/;UID=30" and ";UID=30"; with a server in front, all of that as RFC 5092 §11 has it.
// Invalid: it names no message, or it is "//server/..".
util::Result<MessageUrl> parse_message_url(std::string_view text);

}  // namespace imapd::syntax
