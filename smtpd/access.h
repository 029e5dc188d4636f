// access(5): the keys under which a client, a host name or an address is looked up, and what a
// table's answer means.
#pragma once

#include "libconf/table.h"
#include "libmail/address.h"
#include "libmail/reply.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace smtpd {

// How tables name the domains above a host: "b.c" (smtpd_access_maps is in
// parent_domain_matches_subdomains) or ".b.c".
enum class Parents : std::uint8_t { Plain, ByDot };

// A host name, then its parent domains: "a.b.c" gives a.b.c, b.c, c; or a.b.c, .b.c, .c.
std::vector<conf::Key> domain_keys(std::string_view name, Parents parents);
// An IP address, then the networks that end at a dot or colon: 192.0.2.1, 192.0.2, 192.0, 192.
std::vector<conf::Key> address_keys(std::string_view address);
// user+ext@domain, user@domain, the domain and its parents, user+ext@, user@; for the null address
// only `null_key`.
std::vector<conf::Key> mail_keys(const mail::Address& address, std::string_view delimiters,
                                 std::string_view null_key, Parents parents);

struct AccessAction {
    enum class Kind : std::uint8_t {
        Permit,         // OK, with or without text, or a number
        Dunno,
        Reject,         // REJECT: `dsn` and text may be empty, as in all that refuse
        Defer,          // DEFER
        Reply,          // 4NN or 5NN text: `code`, `dsn`, `text`
        DeferIfPermit,
        DeferIfReject,
        Discard,
        Hold,
        Filter,         // `text` is transport:destination
        Redirect,       // `text` is an address
        Bcc,            // `text` is an address
        Prepend,        // `text` is a header field
        Warn,
        Info,
        Restrictions,   // anything else: `text` is a list of restrictions
    };
    Kind kind = Kind::Dunno;
    int code = 0;
    std::string dsn;    // of any class: the reply's code decides which one is meant
    std::string text;
};

AccessAction parse_access(std::string_view value);

// The name of an action that orders something for a message as a whole; empty for all others.
std::string_view order_name(AccessAction::Kind kind);

}  // namespace smtpd
