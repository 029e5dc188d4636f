// local(8), imapd(8), pop3d(8) -> usher(8) -> mailbox(8).
//
// usher starts one mailbox process for each active user and is the only one who can make a
// connection to it.  Those who ask state an account or a ticket, never a uid: usher reads the uid
// from the accounts file or has auth(8) redeem the ticket.
//
//   local -> usher:   OpenMailbox          usher -> local:  MailboxOpened(descriptor) | MailboxFailed
//   door  -> usher:   OpenSession(client)  usher -> door:   SessionOpened | MailboxFailed
//   usher -> mailbox: NewDeliveries(descriptor), NewSession(client)       over its control socket
//   local -> mailbox: Deliver              mailbox -> local: DeliveryStored, then Durable; or DeliveryRefused
#pragma once

#include "libipc/wire.h"

namespace ipc {

struct OpenMailbox {
    static constexpr std::string_view message_name = "open-mailbox";
    std::uint64_t request = 0;
    std::string account;          // as in the accounts file

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("account", message.account);
    }
};

struct MailboxOpened {
    static constexpr std::string_view message_name = "mailbox-opened";
    std::uint64_t request = 0;
    util::UniqueFd connection;    // SOCK_SEQPACKET, to the user's mailbox process

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("connection", message.connection);
    }
};

struct MailboxFailed {
    static constexpr std::string_view message_name = "mailbox-failed";
    std::uint64_t request = 0;
    bool permanent = false;       // no such account, uid not allowed; else try later
    std::string text;

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("permanent", message.permanent);
        visit("text", message.text);
    }
};

enum class Service : std::uint8_t { Smtp, Imap, Pop3, Sieve, last_ = Sieve };

// What a session may know of its client.
struct SessionFacts {
    Service service = Service::Imap;
    std::string session;          // id for the log, the same in the door and in the mailbox
    std::string client_address;
    bool tls = false;

    static void fields(auto& message, auto& visit)
    {
        visit("service", message.service);
        visit("session", message.session);
        visit("client_address", message.client_address);
        visit("tls", message.tls);
    }
};

struct OpenSession {
    static constexpr std::string_view message_name = "open-session";
    std::uint64_t request = 0;
    std::string ticket;           // from auth, bound to this door and service
    SessionFacts facts;
    util::UniqueFd client;        // SOCK_STREAM: the client's own connection, or the door's pair
    std::string pending;          // bytes of the client that the door has read already
    std::string greeting;         // bytes to send to the client before anything else (tagged OK)

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("ticket", message.ticket);
        visit("facts", message.facts);
        visit("client", message.client);
        visit("pending", message.pending);
        visit("greeting", message.greeting);
    }
};

struct SessionOpened {
    static constexpr std::string_view message_name = "session-opened";
    std::uint64_t request = 0;

    static void fields(auto& message, auto& visit) { visit("request", message.request); }
};

// --- usher -> mailbox, over the control socket the process was born with ------------------------

struct NewDeliveries {
    static constexpr std::string_view message_name = "new-deliveries";
    util::UniqueFd connection;

    static void fields(auto& message, auto& visit) { visit("connection", message.connection); }
};

struct NewSession {
    static constexpr std::string_view message_name = "new-session";
    SessionFacts facts;
    util::UniqueFd client;
    std::string pending;
    std::string greeting;

    static void fields(auto& message, auto& visit)
    {
        visit("facts", message.facts);
        visit("client", message.client);
        visit("pending", message.pending);
        visit("greeting", message.greeting);
    }
};

// --- local <-> mailbox ---------------------------------------------------------------------------

// The message comes inline when it is small (at most content_piece_size), else as a sealed memfd
// that all recipients share; it begins with the trace fields that delivery adds (Return-Path,
// Delivered-To), which are `prefix`.
struct Deliver {
    static constexpr std::string_view message_name = "deliver";
    std::uint64_t delivery = 0;
    std::string queue_id;
    std::string recipient;        // with its extension: user+ext@domain
    std::string folder;           // mailbox to file into; empty is INBOX
    std::int64_t arrival = 0;     // microseconds since 1970: INTERNALDATE
    std::string prefix;
    std::string content;
    util::UniqueFd message;
    std::uint64_t size = 0;       // of the memfd

    static void fields(auto& message, auto& visit)
    {
        visit("delivery", message.delivery);
        visit("queue_id", message.queue_id);
        visit("recipient", message.recipient);
        visit("folder", message.folder);
        visit("arrival", message.arrival);
        visit("prefix", message.prefix);
        visit("content", message.content);
        visit("message", message.message);
        visit("size", message.size);
    }
};

struct DeliveryStored {
    static constexpr std::string_view message_name = "delivery-stored";
    std::uint64_t delivery = 0;
    std::uint64_t lsn = 0;        // durable when Durable reaches it
    bool duplicate = false;

    static void fields(auto& message, auto& visit)
    {
        visit("delivery", message.delivery);
        visit("lsn", message.lsn);
        visit("duplicate", message.duplicate);
    }
};

struct DeliveryRefused {
    static constexpr std::string_view message_name = "delivery-refused";
    std::uint64_t delivery = 0;
    bool permanent = false;
    std::string dsn;
    std::string text;

    static void fields(auto& message, auto& visit)
    {
        visit("delivery", message.delivery);
        visit("permanent", message.permanent);
        visit("dsn", message.dsn);
        visit("text", message.text);
    }
};

// Everything up to this lsn survives a power cut.
struct Durable {
    static constexpr std::string_view message_name = "durable";
    std::uint64_t lsn = 0;

    static void fields(auto& message, auto& visit) { visit("lsn", message.lsn); }
};

}  // namespace ipc
