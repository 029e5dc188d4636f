// local(8), imapd(8), pop3d(8) -> usher(8) -> mailbox(8).
//
// usher starts one mailbox process for each active user and is the only one who can make a
// connection to it.  Those who ask state an account or a ticket, never a uid: usher reads the uid
// from the accounts file or has auth(8) redeem the ticket.
//
//   local -> usher:   OpenMailbox          usher -> local:  MailboxOpened(descriptor) | MailboxFailed
//   door  -> usher:   OpenSession(client)  usher -> door:   SessionOpened | MailboxFailed
//   root's tools -> usher: OpenUserSession, ExpireMail
//   usher -> mailbox: MailboxSettings, then NewDeliveries(descriptor), NewSession(client), ExpireMail, UserGroups
//   mailbox -> usher: SessionTaken, SessionCount, MailExpired, Leaving; or NotStarted  over its control socket
//   and both ways:    what libipc/parking.h has; turns to fill the search index
//   mailbox -> usher: ReturnSession(client)   usher -> door: SessionReturned(client): the session is over, and its
//                                             connection goes on without a user (RFC 8437)
//   mailbox -> local: DeliveriesWanted, once
//   local -> mailbox: Deliver              mailbox -> local: DeliveryStored, and Durable where that does not say it;
//                                                            or DeliveryRefused
#pragma once

#include "libipc/capability_rule.h"
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
    bool too_soon = false;        // pop3d_login_delay has not passed
    std::string text;

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("permanent", message.permanent);
        visit("too_soon", message.too_soon);
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
    bool transcript = false;          // usher's word: the session is written down
    bool utf8 = false;            // the client has asked for UTF-8 before its log-in (RFC 6856)
    std::string client_name;      // what the client calls itself (ID, RFC 2971)
    bool returnable = false;      // the door takes the connection back when the session says so
    // Not the owner of the mailbox, but his guest: who, and how the owner's mailboxes begin for him.  Only usher
    // says so (NewSession): doors cannot.
    std::string guest = {};
    std::string guest_prefix = {};
    // The groups of the one whom the session is for, as access control lists call them; likewise.
    std::vector<std::string> groups = {};
    bool owner_disabled = false;      // the owner may not log in: his URLs (RFC 4467) are good for no guest then

    static void fields(auto& message, auto& visit)
    {
        visit("service", message.service);
        visit("session", message.session);
        visit("client_address", message.client_address);
        visit("tls", message.tls);
        visit("login_capabilities", message.login_capabilities);
        visit("transcript", message.transcript);
        visit("utf8", message.utf8);
        visit("client_name", message.client_name);
        visit("returnable", message.returnable);
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

// Of what the client has sent ahead.  A session stops to read when 64 KB of commands wait in it, and reads 16 KB at once.
constexpr std::size_t max_returned_bytes = 80U << 10;
constexpr std::size_t max_returned_farewell = 200;

// The session that came by this connection is over, and the connection goes back to where it came from: the client's
// own, or, with TLS, the mailbox's end of the door's pair, in which may be what the door has passed on and nobody read.
struct ReturnSession {
    static constexpr std::string_view message_name = "return-session";
    std::string session;
    util::UniqueFd client;
    std::string pending;          // bytes of the client that were read and are not the session's
    std::string farewell;         // what a client without TLS is told if there is no door for it any more

    static void fields(auto& message, auto& visit)
    {
        visit("session", message.session);
        visit("client", message.client);
        visit("pending", message.pending);
        visit("farewell", message.farewell);
    }
};

// The same for the door that opened the session, with what it said of it then.
struct SessionReturned {
    static constexpr std::string_view message_name = "session-returned";
    SessionFacts facts;
    util::UniqueFd client;
    std::string pending;

    static void fields(auto& message, auto& visit)
    {
        visit("facts", message.facts);
        visit("client", message.client);
        visit("pending", message.pending);
    }
};

// Of root's tools, which need no ticket: an IMAP session as the user.  SessionOpened or MailboxFailed.
struct OpenUserSession {
    static constexpr std::string_view message_name = "open-user-session";
    std::uint64_t request = 0;
    std::string account;
    SessionFacts facts;
    util::UniqueFd client;

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("account", message.account);
        visit("facts", message.facts);
        visit("client", message.client);
    }
};

// For how long mail is kept in a mailbox: store::ExpiryRule.
struct ExpiryRule {
    std::string mailbox;
    std::int64_t seconds = 0;

    static void fields(auto& message, auto& visit)
    {
        visit("mailbox", message.mailbox);
        visit("seconds", message.seconds);
    }
};

// Root's tool to usher (with an account, and without rules, which are usher's); usher to a mailbox.
// MailExpired comes back, or MailboxFailed to the tool.
struct ExpireMail {
    static constexpr std::string_view message_name = "expire-mail";
    std::uint64_t order = 0;
    std::string account;
    std::vector<ExpiryRule> rules;

    static void fields(auto& message, auto& visit)
    {
        visit("order", message.order);
        visit("account", message.account);
        visit("rule", message.rules);
    }
};

struct MailExpired {
    static constexpr std::string_view message_name = "mail-expired";
    std::uint64_t order = 0;
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    std::string failure;          // empty: all is done

    static void fields(auto& message, auto& visit)
    {
        visit("order", message.order);
        visit("messages", message.messages);
        visit("bytes", message.bytes);
        visit("failure", message.failure);
    }
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
    bool search_index = true;
    std::int64_t search_index_delay = 3'000'000;
    std::int64_t search_time_limit = 60'000'000;
    std::uint64_t search_memory_limit = 128U << 20;
    std::uint32_t guest_limit = 200;      // sessions of other users at a time
    std::uint32_t guest_user_limit = 50;  // of them, those of one user
    std::string other_users_prefix;       // "Other Users/"; empty: nothing is shared
    std::string public_prefix;            // "Shared/", where this account's mailboxes are
    std::string public_account;
    std::string server_comment;           // what IMAP clients hear of the server
    std::string server_admin;
    std::int64_t park_delay = 5'000'000;  // without news for a session that waits; 0 = none is parked
    std::string hostname;                 // in greetings and texts
    std::string uidl_format = "%v.%u";    // of POP3
    bool strict_append = false;
    std::uint64_t message_limit = 0;      // that one IMAP command works on; 0 = none
    std::vector<std::string> url_hosts;   // of IMAP URLs
    std::vector<CapabilityRule> discard_capabilities;
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
        visit("search_index", message.search_index);
        visit("search_index_delay", message.search_index_delay);
        visit("search_time_limit", message.search_time_limit);
        visit("search_memory_limit", message.search_memory_limit);
        visit("guest_limit", message.guest_limit);
        visit("guest_user_limit", message.guest_user_limit);
        visit("other_users_prefix", message.other_users_prefix);
        visit("public_prefix", message.public_prefix);
        visit("public_account", message.public_account);
        visit("server_comment", message.server_comment);
        visit("server_admin", message.server_admin);
        visit("park_delay", message.park_delay);
        visit("hostname", message.hostname);
        visit("uidl_format", message.uidl_format);
        visit("strict_append", message.strict_append);
        visit("message_limit", message.message_limit);
        visit("url_host", message.url_hosts);
        visit("discard_capability", message.discard_capabilities);
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

// The exit status of a mailbox that has left in good order, but has changed something after usher had closed the control
// socket: whose sessions are parked has not heard of that.
constexpr int untold_news_status = 10;

struct NewDeliveries {
    static constexpr std::string_view message_name = "new-deliveries";
    util::UniqueFd connection;

    static void fields(auto& message, auto& visit) { visit("connection", message.connection); }
};

// Answered by SessionTaken if `order` is not 0.  With `state` it is one that was parked (libipc/parking.h).
struct NewSession {
    static constexpr std::string_view message_name = "new-session";
    std::uint64_t order = 0;
    SessionFacts facts;
    util::UniqueFd client;
    std::string pending;
    std::string greeting;
    std::string state;
    std::int64_t started = 0;     // when it began, if it was parked: of the monotonic clock
    std::uint32_t parked = 0;     // so many others of the user are parked

    static void fields(auto& message, auto& visit)
    {
        visit("order", message.order);
        visit("facts", message.facts);
        visit("client", message.client);
        visit("pending", message.pending);
        visit("greeting", message.greeting);
        visit("guest", message.facts.guest);
        visit("guest_prefix", message.facts.guest_prefix);
        visit("group", message.facts.groups);
        visit("owner_disabled", message.facts.owner_disabled);
        visit("state", message.state);
        visit("started", message.started);
        visit("parked", message.parked);
    }
};

// The groups that the user is in from now on, for those of the process's sessions that are his own.
struct UserGroups {
    static constexpr std::string_view message_name = "user-groups";
    std::vector<std::string> groups;

    static void fields(auto& message, auto& visit) { visit("group", message.groups); }
};

// --- other users' mailboxes ----------------------------------------------------------------------------
//
//   mailbox -> usher: OpenGuest     usher -> mailbox: GuestOpened(descriptor) | GuestRefused
//                                   usher -> owner's mailbox: NewSession with a guest
//   mailbox -> usher: AskSharers    usher -> mailbox: Sharers.., the last of them with `last`
//   mailbox -> usher: SharedWith    who has any right in its mailboxes, when it starts and when that changes
//
// Whose guest asks, usher knows by the control socket.  Sharers come one record after the other, when nothing else waits
// in that socket, and for one request at a time: who asks more often than he can have sessions (usher::max_sharer_questions)
// loses his control socket.

struct OpenGuest {
    static constexpr std::string_view message_name = "open-guest";
    std::uint64_t request = 0;
    std::string owner;

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("owner", message.owner);
    }
};

// SOCK_STREAM: the owner's mailbox process greets with "* PREAUTH", or closes.
struct GuestOpened {
    static constexpr std::string_view message_name = "guest-opened";
    std::uint64_t request = 0;
    util::UniqueFd connection;

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("connection", message.connection);
    }
};

// There is no such owner, or he shares nothing with this user, or his process does not keep up with its orders; which,
// nobody hears.
struct GuestRefused {
    static constexpr std::string_view message_name = "guest-refused";
    std::uint64_t request = 0;

    static void fields(auto& message, auto& visit) { visit("request", message.request); }
};

struct AskSharers {
    static constexpr std::string_view message_name = "ask-sharers";
    std::uint64_t request = 0;

    static void fields(auto& message, auto& visit) { visit("request", message.request); }
};

struct Sharers {
    static constexpr std::string_view message_name = "sharers";
    std::uint64_t request = 0;
    std::vector<std::string> owners;
    bool last = false;

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("owner", message.owners);
        visit("last", message.last);
    }
};

// More than max_shared_identifiers are told as "anyone": it only says whom it is worth while to ask for.
constexpr std::size_t max_shared_identifiers = 250;

struct SharedWith {
    static constexpr std::string_view message_name = "shared-with";
    std::vector<std::string> identifiers;   // accounts, "group=NAME", or "anyone"

    static void fields(auto& message, auto& visit) { visit("identifier", message.identifiers); }
};

// --- filling the search index --------------------------------------------------------------------------
//
//   mailbox -> usher: FillingWanted      usher -> mailbox: FillingGranted, when its turn has come
//   mailbox -> usher: FillingOver        the turn is given back
//
// What fills an index takes memory and time, so usher lets few do it at once, first come first served
// (usher/filling_turns.h).  One request at a time: who asks while he waits or has a turn loses his control socket.
// A turn that is kept too long is the next one's, and FillingOver then means nothing.

struct FillingWanted {
    static constexpr std::string_view message_name = "filling-wanted";

    static void fields(auto&, auto&) {}
};

// No order: it does not keep the process.
struct FillingGranted {
    static constexpr std::string_view message_name = "filling-granted";

    static void fields(auto&, auto&) {}
};

struct FillingOver {
    static constexpr std::string_view message_name = "filling-over";

    static void fields(auto&, auto&) {}
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
    std::uint64_t lsn = 0;        // durable when `durable` here, or a later Durable, reaches it
    std::uint64_t durable = 0;
    bool duplicate = false;

    static void fields(auto& message, auto& visit)
    {
        visit("delivery", message.delivery);
        visit("lsn", message.lsn);
        visit("durable", message.durable);
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
