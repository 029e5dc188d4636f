// Who hands a message to cleanup(8): smtpd, pickup, bounce, and mailbox by way of usher.
//
// One connection carries many messages, one after the other:
//
//   cleanup: Greeting                  the queue id that the first message will have
//   client:  Begin [More..] [Content..]
//   cleanup: Verdict                   and the id for the next message
//   client:  Renounce                  in place of a message whose id was told and not used
//   cleanup: Greeting                  the id for the next message
//
// A small message is one record: Begin with its content and `last`.  A client that gives up closes
// the connection: nothing of the message remains.  cleanup may send its Verdict before the end of
// the content (no space, too large); the client then stops sending and reconnects.
#pragma once

#include "libipc/wire.h"

namespace ipc {

constexpr unsigned submission_version = 1;

// What the header fields that are added on a message's way may take beyond message_size_limit, so
// that a message of just that size arrives (RFC 1870 §5 counts the message as it is sent).
constexpr std::uint64_t trace_room = 64 * 1024;

// RFC 3461 §4.1, as bits.
constexpr std::uint8_t NotifyDefault = 0;
constexpr std::uint8_t NotifyNever = 1;
constexpr std::uint8_t NotifySuccess = 2;
constexpr std::uint8_t NotifyFailure = 4;
constexpr std::uint8_t NotifyDelay = 8;

struct Recipient {
    std::string address;    // local@domain, unquoted local part as libmail writes it
    std::string original;   // ORCPT as "type;address", decoded; empty if not given
    std::uint8_t notify = NotifyDefault;
    bool forwarded = false; // an alias or the like of ours stands behind it, not the sender's own word (srs_domain)

    static void fields(auto& message, auto& visit)
    {
        visit("address", message.address);
        visit("original", message.original);
        visit("notify", message.notify);
        visit("forwarded", message.forwarded);
    }
};

enum class Origin : std::uint8_t {
    Smtp,      // from the net; races
    Local,     // sendmail, pickup
    Bounce,    // a notification; does not race
    Mailbox,   // forwarded or answered by a user's mailbox; does not race
    last_ = Mailbox
};

enum class ReturnPart : std::uint8_t { Default, Full, Headers, last_ = Headers };  // RET=

// What a sender wants to be told of by mail, whatever becomes of the message.
enum class Report : std::uint8_t {
    None,
    Deliverability,    // sendmail -bv: nothing is delivered, what would become of it is told
    Delivery,          // sendmail -v: what the first attempt has brought
    Probe,             // nothing is delivered, and nothing is kept: verify(8) hears of it, not by mail (verification.h)
    last_ = Probe
};

// receive_override_options, as bits: what cleanup leaves out.
constexpr std::uint8_t NoAddressMappings = 1;    // canonical(5), virtual(5), masquerading, automatic copies
constexpr std::uint8_t NoContentChecks = 2;      // header_checks(5) and its kin

// What is known of a message besides its content; also the first records of a queue file.
struct Envelope {
    std::string queue_id;
    std::int64_t arrival = 0;        // microseconds since 1970
    std::string sender;              // empty: the null sender
    std::string envelope_id;         // ENVID, decoded
    ReturnPart return_part = ReturnPart::Default;
    bool eight_bit = false;          // BODY=8BITMIME or 8-bit content seen
    bool smtputf8 = false;
    bool requiretls = false;         // RFC 8689: it goes on over verified TLS only
    Origin origin = Origin::Smtp;
    bool complete_header = false;    // add From, Date, Message-ID where missing (own clients only)
    std::string client_name;         // "unknown" if the name does not hold
    std::string client_address;
    std::string client_port;         // empty: not known
    std::string helo_name;
    std::string protocol_name;       // SMTP, ESMTP, ESMTPSA, UTF8SMTP ...
    std::string sasl_method;
    std::string sasl_username;
    std::string sasl_sender;         // AUTH= of MAIL, as a client that was logged in gave it
    bool local_header = false;       // the client is one of $local_header_rewrite_clients
    std::uint8_t overrides = 0;      // NoAddressMappings ...
    std::string content_filter;      // transport:destination, for all recipients
    // Orders of access(5).
    bool hold = false;
    std::string redirect;            // one recipient instead of all
    std::vector<std::string> bcc;    // recipients to be added
    Report report = Report::None;

    static void fields(auto& message, auto& visit)
    {
        visit("queue_id", message.queue_id);
        visit("arrival", message.arrival);
        visit("sender", message.sender);
        visit("envelope_id", message.envelope_id);
        visit("return_part", message.return_part);
        visit("eight_bit", message.eight_bit);
        visit("smtputf8", message.smtputf8);
        visit("requiretls", message.requiretls);
        visit("origin", message.origin);
        visit("complete_header", message.complete_header);
        visit("client_name", message.client_name);
        visit("client_address", message.client_address);
        visit("client_port", message.client_port);
        visit("helo_name", message.helo_name);
        visit("protocol_name", message.protocol_name);
        visit("sasl_method", message.sasl_method);
        visit("sasl_username", message.sasl_username);
        visit("sasl_sender", message.sasl_sender);
        visit("local_header", message.local_header);
        visit("overrides", message.overrides);
        visit("content_filter", message.content_filter);
        visit("hold", message.hold);
        visit("redirect", message.redirect);
        visit("bcc", message.bcc);
        visit("report", message.report);
    }
};

struct Greeting {
    static constexpr std::string_view message_name = "greeting";
    unsigned version = submission_version;
    std::string next_queue_id;

    static void fields(auto& message, auto& visit)
    {
        visit("version", message.version);
        visit("next_queue_id", message.next_queue_id);
    }
};

// The id that was given is not used: a Greeting with another one answers.
struct Renounce {
    static constexpr std::string_view message_name = "renounce";

    static void fields(auto&, auto&) {}
};

struct Begin {
    static constexpr std::string_view message_name = "begin";
    Envelope envelope;                    // queue_id as greeted
    std::vector<Recipient> recipients;    // as many as fit with the content
    std::string content;                  // the first piece, CRLF as received, dots unstuffed
    bool last = false;                    // nothing follows

    static void fields(auto& message, auto& visit)
    {
        visit("envelope", message.envelope);
        visit("recipient", message.recipients);
        visit("content", message.content);
        visit("last", message.last);
    }
};

// Recipients that did not fit into Begin; before the first Content.
struct More {
    static constexpr std::string_view message_name = "more";
    std::vector<Recipient> recipients;

    static void fields(auto& message, auto& visit) { visit("recipient", message.recipients); }
};

struct Content {
    static constexpr std::string_view message_name = "content";
    std::string content;   // at most content_piece_size bytes
    bool last = false;

    static void fields(auto& message, auto& visit)
    {
        visit("content", message.content);
        visit("last", message.last);
    }
};

struct Verdict {
    static constexpr std::string_view message_name = "verdict";
    enum class Kind : std::uint8_t {
        Kept,        // named and synced in the queue: 250
        Delivered,   // every recipient durably done: 250
        Refused,     // 5xx, nothing kept
        Failed,      // 4xx, nothing kept
        last_ = Failed
    };
    Kind kind = Kind::Failed;
    int code = 451;           // SMTP reply code
    std::string dsn;          // "4.3.0"
    std::string text;         // after the status code, one line
    std::string next_queue_id;  // empty: this connection takes no more

    static void fields(auto& message, auto& visit)
    {
        visit("kind", message.kind);
        visit("code", message.code);
        visit("dsn", message.dsn);
        visit("text", message.text);
        visit("next_queue_id", message.next_queue_id);
    }
};

}  // namespace ipc
