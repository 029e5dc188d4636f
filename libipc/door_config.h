// The parameters of a door: the same for every protocol, with the program's name in front.
//
// imapd_client_limit and pop3d_client_limit are one declaration here; imapd/config.h and
// pop3d/config.h say whose they are.
#pragma once

#include "libconf/parameter.h"
#include "libutil/text.h"

#include <string>
#include <string_view>

namespace ipc {

struct DoorConfig : conf::Section {
    // `tls_port` is where TLS begins at once, by the named section of RFC 8314.
    DoorConfig(std::string_view program, int tls_port, std::string_view rfc8314_section) :
        tls_wrappermode{this, util::concat(program, "_tls_wrappermode"), "no",
            util::concat("Whether TLS begins before the greeting, as on port ", tls_port, " (RFC 8314 section ",
                         rfc8314_section, ").  Set with -o for that service in master.cf.")},
        tls_protocols{this, util::concat(program, "_tls_protocols"), ">=TLSv1.2", {.max = 200},
            "The versions of TLS that may be negotiated, in the form of smtpd_tls_protocols."},
        tls_ciphers{this, util::concat(program, "_tls_cipherlist"), "", {.max = 2000},
            "The ciphers for TLS 1.2, as a list in OpenSSL's form; empty is a good choice."},
        client_limit{this, util::concat(program, "_client_limit"), "10000", {.min = 1, .max = 1'000'000},
            util::concat("How many connections one ", program, " process holds: dialogues before log-in, and "
                         "all sessions over TLS.  Sessions without TLS are handed over and do not count.")},
        login_limit_per_client{this, util::concat(program, "_login_connection_limit"), "1000",
            {.min = 1, .max = 1'000'000},
            "How many connections that are not logged in one client may have to one process.  One "
            "more is told so and closed."},
        client_ipv6_prefix_length{this, util::concat(program, "_client_ipv6_prefix_length"), "64", {.max = 128},
            util::concat("How many bits of a client's IPv6 address count for ", program, "_login_connection_limit: "
                         "clients of one network count as one.")},
        attempts{this, util::concat(program, "_login_attempts"), "5", {.min = 1, .max = 1000},
            "After this many failed log-ins the connection is closed."},
        login_timeout{this, util::concat(program, "_login_timeout"), "60s",
            {.min = std::chrono::seconds(5), .max = std::chrono::hours(1)},
            "How long a client may take to log in, from its connection on."},
        upstream_proxy_protocol{this, util::concat(program, "_upstream_proxy_protocol"), "",
            {{"", false}, {"haproxy", true}},
            "haproxy: each connection begins with a header of the PROXY protocol, version 1 or 2, that tells the "
            "client's address; one without is closed.  For services that only the proxy can reach, by -o in "
            "master.cf(5)."},
        upstream_proxy_timeout{this, util::concat(program, "_upstream_proxy_timeout"), "5s",
            {.min = std::chrono::seconds(1), .max = std::chrono::hours(1)},
            "How long the proxy may take to send that header."}
    {
    }

    conf::Flag tls_wrappermode;
    conf::Text tls_protocols;
    conf::Text tls_ciphers;
    conf::Count client_limit;
    conf::Count login_limit_per_client;
    conf::Count client_ipv6_prefix_length;
    conf::Count attempts;
    conf::Duration login_timeout;
    conf::Choice<bool> upstream_proxy_protocol;
    conf::Duration upstream_proxy_timeout;
};

}  // namespace ipc
