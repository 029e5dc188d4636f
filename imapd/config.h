// The main.cf(5) parameters of imapd(8): their only declaration.
#pragma once

#include "libconf/parameter.h"

namespace imapd {

struct Config : conf::Section {
    conf::Flag tls_wrappermode{this, "imapd_tls_wrappermode", "no",
        "Whether TLS begins before the greeting, as on port 993 (RFC 8314 section 3.2).  Set with -o "
        "for that service in master.cf."};
    conf::Text tls_protocols{this, "imapd_tls_protocols", ">=TLSv1.2", {.max = 200},
        "The versions of TLS that may be negotiated, in the form of smtpd_tls_protocols."};
    conf::Text tls_ciphers{this, "imapd_tls_cipherlist", "", {.max = 2000},
        "The ciphers for TLS 1.2, as a list in OpenSSL's form; empty is a good choice."};
    conf::Count client_limit{this, "imapd_client_limit", "10000", {.min = 1, .max = 1'000'000},
        "How many connections one imapd process holds: dialogues before log-in, and all sessions "
        "over TLS.  Sessions without TLS are handed over and do not count."};
    conf::Count login_limit_per_client{this, "imapd_login_connection_limit", "50",
        {.min = 1, .max = 1'000'000},
        "How many connections that are not logged in one client address may have to one process."};
    conf::Count attempts{this, "imapd_login_attempts", "5", {.min = 1, .max = 1000},
        "After this many failed log-ins the connection is closed."};
    conf::Duration login_timeout{this, "imapd_login_timeout", "60s",
        {.min = std::chrono::seconds(5), .max = std::chrono::hours(1)},
        "How long a client may take to log in, from its connection on."};
};

}  // namespace imapd
