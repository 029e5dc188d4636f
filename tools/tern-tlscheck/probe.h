// One connection to a mail server: greeting, EHLO, STARTTLS, QUIT, as a delivery would do it.
#pragma once

#include "libmail/reply.h"
#include "libnet/stream.h"
#include "libtrust/tls_policy.h"

#include <optional>

namespace tlscheck {

struct Probe {
    std::string greeting;                          // the first line, printable
    bool offered = false;                          // STARTTLS
    std::optional<net::TlsPeerFacts> facts;        // of a handshake that was good
    std::optional<trust::TlsTrouble> trouble;
    std::string text;                              // of a trouble or failure
    bool failed = false;                           // before TLS was thought of: no SMTP, a refusal, a lost connection
};

// The stream has its timeout.
Probe probe(net::Stream& stream, const trust::TlsDecision& decision, const net::TlsContext& context, std::string_view our_name);

}  // namespace tlscheck
