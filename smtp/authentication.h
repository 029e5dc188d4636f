// The client's side of AUTH (RFC 4954): one exchange with one mechanism.
#pragma once

#include "libmail/sasl_client.h"
#include "smtp/dialog.h"

namespace smtp {

constexpr std::size_t max_auth_command = 512;   // with CRLF: a longer initial response waits for its challenge
constexpr unsigned max_auth_rounds = 10;        // challenges; more are garbage

// Nothing: the server knows us now.  `soft`: refusals for good count as temporary (smtp_sasl_auth_soft_bounce).
std::optional<Failure> authenticate(Dialog& dialog, std::string_view mechanism, mail::SaslClient& client,
                                    util::Duration timeout, bool soft);

}  // namespace smtp
