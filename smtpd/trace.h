// The Received: field that smtpd puts before a message (RFC 5321 §4.4).
#pragma once

#include "libnet/tls.h"
#include "libutil/time.h"
#include "smtpd/client.h"

#include <string>

namespace smtpd {

struct TraceFacts {
    const Client* client = nullptr;
    std::string helo;
    std::string hostname;            // ours
    std::string mail_name;
    std::string protocol;            // ESMTPSA, see protocol_name()
    std::string recipient;           // local@domain, when the message has but one; else empty
    const net::TlsFacts* tls = nullptr;  // if the field is to tell of it
    std::string sasl_username;       // if the field is to tell it
    bool hidden = false;             // smtpd_hide_client_session: nothing of all that
    util::WallTime time;
};

// The whole field, folded, with CRLF.
std::string received_field(const TraceFacts& facts, std::string_view queue_id);

// RFC 3848 and RFC 6531 §4.3: SMTP, ESMTP, ESMTPS, ESMTPA, ESMTPSA, UTF8SMTP ...
std::string protocol_name(bool extended, bool utf8, bool tls, bool authenticated);

}  // namespace smtpd
