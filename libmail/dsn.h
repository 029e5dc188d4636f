// Delivery status notifications: RFC 3464 in a multipart/report (RFC 6522), with RFC 3461's rules for
// what is told, and RFC 6533 for addresses in UTF-8.
#pragma once

#include "libmail/address.h"
#include "libmail/date.h"
#include "libmail/esmtp.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

// The last two are not RFC 3464's: of who asked whether a message could be delivered.
enum class DsnAction : unsigned char { Failed, Delayed, Delivered, Relayed, Expanded, Deliverable, Undeliverable };

struct DsnRecipient {
    Address address;                  // as the queue has it: Final-Recipient
    std::string original_type;        // of ORCPT, "rfc822" or "utf-8"; empty: none was given
    std::string original_recipient;
    DsnAction action = DsnAction::Failed;
    std::string status;               // "5.1.1"
    // What the other side said ("550 5.1.1 no such user"), with its name; or, with an empty
    // remote_mta, why we gave up ("host not found").  One line; control bytes become '?'.
    std::string diagnostic;
    std::string diagnostic_type;      // of Diagnostic-Code; empty: smtp, or x-tern for our own words
    std::string reason;               // for people, in the place of the diagnostic; empty: that will do
    std::string remote_mta;           // host name
    std::optional<Date> last_attempt;
    std::optional<Date> will_retry_until;  // of Delayed
};

struct DsnReport {
    std::string reporting_mta;        // our host name
    std::string from;                 // the whole From: field, in ASCII
    Address to;                       // who reads it: the sender of the message, or the postmaster
    std::string subject;              // in ASCII
    std::string notice;               // what the reader is told first; UTF-8, lines that end in '\n'
    Date date;                        // now
    std::string message_id;           // without brackets, unique
    std::string queue_id;             // of the message that is reported, for the reader
    std::string envelope_id;          // ENVID as given, or empty
    std::string sender;               // of the message, for the reader who is not the sender; or empty
    std::optional<Date> arrival;
    std::vector<DsnRecipient> recipients;
    // The message: as received, CRLF line ends.  Empty: nothing is attached.
    std::string_view content;
    bool full = false;                // all of it, else its header (RET=)
};

// The whole message to send, header and body.  All lines end with CRLF and none is longer than 998
// bytes but in the attached message.  It is 8bit or UTF-8 only if what it reports is.
std::string compose_dsn(const DsnReport& report);

}  // namespace mail
