// A Transaction: everything that is known between MAIL and the end of data, and nothing else is.
//
// The session holds at most one.  RSET, EHLO, the end of data and every error that ends a
// transaction destroy it, so that nothing of one message can leak into the next.
#pragma once

#include "libipc/submission.h"
#include "libmail/address.h"
#include "libmail/client_attributes.h"
#include "libmail/esmtp.h"
#include "libmail/reply.h"
#include "smtpd/content.h"
#include "smtpd/rules.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace smtpd {

// The state of a message whose content comes in BDAT chunks (RFC 3030 §2).
struct Chunks {
    explicit Chunks(ContentRules rules) : decoder(rules) {}

    ChunkDecoder decoder;
    std::uint64_t size = 0;  // of all chunks so far
    std::uint64_t count = 0;
    // A chunk was refused: all later ones are, until the transaction ends.
    bool failed = false;
};

struct Transaction {
    mail::Address sender;
    std::string sender_domain;               // as MAIL gave it; the address is completed
    std::optional<mail::Reply> deferral;     // what smtpd_sender_restrictions said so at MAIL
    mail::MailParameters parameters;
    std::vector<ipc::Recipient> recipients;  // the accepted ones
    mail::Address first_recipient;           // of these: the only one, if it stays alone
    std::string first_recipient_domain;      // as RCPT gave it
    std::string queue_id;                    // from the first accepted recipient on
    std::uint64_t refused = 0;               // recipients
    std::uint64_t excess = 0;                // recipients above the limit
    mail::ClientAttributes forwarded;        // by XFORWARD before MAIL
    Orders orders;                           // of access tables; discard: accept, and drop
    std::optional<Chunks> chunks;            // once BDAT has come
};

}  // namespace smtpd
