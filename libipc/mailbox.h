// local(8), imapd(8), pop3d(8) -> usher(8) -> mailbox(8).
//
// usher starts one mailbox process for each active user and is the only one who can make a
// connection to it.  Those who ask state an account or a ticket, never a uid: usher reads the uid
// from the accounts file or has auth(8) redeem the ticket.
//
//   local -> usher:   OpenMailbox          usher -> local:  MailboxOpened(descriptor) | MailboxFailed
//   door  -> usher:   OpenSession(client)  usher -> door:   SessionOpened | MailboxFailed
//   usher -> mailbox: MailboxSettings, then NewDeliveries(descriptor), NewSession(client)
//   mailbox -> usher: SessionTaken, SessionCount, Leaving; or NotStarted              over its control socket
//   mailbox -> local: DeliveriesWanted, once
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
    std::string login_capabilities;   // see LoginDialog

    static void fields(auto& message, auto& visit)
    {
        visit("service", message.service);
        visit("session", message.session);
        visit("client_address", message.client_address);
        visit("tls", message.tls);
        visit("login_capabilities", message.login_capabilities);
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

// --- usher <-> mailbox, over the control socket the process was born with -----------------------

// The first record on the control socket: usher has sent it before the process exists.  usher
// reads the parameters, so that mailbox starts without main.cf.
struct MailboxSettings {
    static constexpr std::string_view message_name = "settings";
    std::string account;
    std::string directory;                // the user's home; the store is in it
    bool sandbox = true;
    bool sandbox_required = false;        // better no mailbox than one without Landlock
    std::uint32_t landlock_abi_limit = 1000;
    std::int64_t idle_time = 60'000'000;  // microseconds without work until it leaves
    std::int64_t lock_wait = 30'000'000;  // for a predecessor that is still leaving
    std::int64_t flag_sync_delay = 1'000'000;
    std::int64_t undelete_time = std::int64_t(14 * 86400) * 1'000'000;
    std::uint64_t undelete_limit = 1U << 30;
    std::uint64_t segment_size = 16U << 20;
    std::uint64_t quota_bytes = 0;        // 0 = none
    std::uint64_t quota_messages = 0;
    std::uint64_t message_size_limit = 0;  // 0 = none but the store's own
    std::uint32_t session_limit = 64;
    std::string hostname;                 // in greetings and texts
    std::string log_name = "tern/mailbox";
    bool verbose = false;

    static void fields(auto& message, auto& visit)
    {
        visit("account", message.account);
        visit("directory", message.directory);
        visit("sandbox", message.sandbox);
        visit("sandbox_required", message.sandbox_required);
        visit("landlock_abi_limit", message.landlock_abi_limit);
        visit("idle_time", message.idle_time);
        visit("lock_wait", message.lock_wait);
        visit("flag_sync_delay", message.flag_sync_delay);
        visit("undelete_time", message.undelete_time);
        visit("undelete_limit", message.undelete_limit);
        visit("segment_size", message.segment_size);
        visit("quota_bytes", message.quota_bytes);
        visit("quota_messages", message.quota_messages);
        visit("message_size_limit", message.message_size_limit);
        visit("session_limit", message.session_limit);
        visit("hostname", message.hostname);
        visit("log_name", message.log_name);
        visit("verbose", message.verbose);
    }
};

// How many sessions the mailbox holds: usher evicts only those without.  The first of them, 0, says
// that the mailbox has opened the store: one that ends before did not start.
struct SessionCount {
    static constexpr std::string_view message_name = "session-count";
    std::uint32_t sessions = 0;

    static void fields(auto& message, auto& visit) { visit("sessions", message.sessions); }
};

// The store cannot be opened, and the mailbox ends.
struct NotStarted {
    static constexpr std::string_view message_name = "not-started";
    std::string reason;

    static void fields(auto& message, auto& visit) { visit("reason", message.reason); }
};

// The mailbox would like to end.  usher closes the control socket if the mailbox has seen all its
// orders; else the order on its way keeps the mailbox.
struct Leaving {
    static constexpr std::string_view message_name = "leaving";
    std::uint64_t orders_seen = 0;

    static void fields(auto& message, auto& visit) { visit("orders_seen", message.orders_seen); }
};

struct NewDeliveries {
    static constexpr std::string_view message_name = "new-deliveries";
    util::UniqueFd connection;

    static void fields(auto& message, auto& visit) { visit("connection", message.connection); }
};

// Answered by SessionTaken if `order` is not 0.
struct NewSession {
    static constexpr std::string_view message_name = "new-session";
    std::uint64_t order = 0;
    SessionFacts facts;
    util::UniqueFd client;
    std::string pending;
    std::string greeting;

    static void fields(auto& message, auto& visit)
    {
        visit("order", message.order);
        visit("facts", message.facts);
        visit("client", message.client);
        visit("pending", message.pending);
        visit("greeting", message.greeting);
    }
};

// The mailbox has the client, to which it has said nothing before this; or the reason why it does not.
struct SessionTaken {
    static constexpr std::string_view message_name = "session-taken";
    std::uint64_t order = 0;
    std::string refusal;          // empty: it is taken

    static void fields(auto& message, auto& visit)
    {
        visit("order", message.order);
        visit("refusal", message.refusal);
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

// The first record on a connection, from the mailbox: it is up.  What ends it afterwards may be a message.
struct DeliveriesWanted {
    static constexpr std::string_view message_name = "deliveries-wanted";

    static void fields(auto&, auto&) {}
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
