// qmgr(8) -> local(8), smtp(8), bounce(8): jobs and their outcomes.
//
// qmgr connects to the transport's socket.  A worker (smtp, bounce) takes one job at a time; a
// multiplexer (local) takes many, as far as its AgentGreeting says.  A job names one message and
// some of its recipients; the agent answers each recipient with an Outcome.  An agent that stores
// says so as soon as the message is stored but not yet synced, where another could then be started, so
// that concurrency limits count what is really being worked on, and an Outcome only when it is durable.
#pragma once

#include "libipc/submission.h"

namespace ipc {

using JobId = std::uint64_t;

struct AgentGreeting {
    static constexpr std::string_view message_name = "agent";
    unsigned version = 1;
    std::uint32_t capacity = 1;   // jobs in flight on this connection
    bool verifies = false;        // knows Job::verify; who does not is never given such a job

    static void fields(auto& message, auto& visit)
    {
        visit("version", message.version);
        visit("capacity", message.capacity);
        visit("verifies", message.verifies);
    }
};

struct JobRecipient {
    std::uint32_t index = 0;      // of the recipient in the queue file
    Recipient recipient;

    static void fields(auto& message, auto& visit)
    {
        visit("index", message.index);
        visit("recipient", message.recipient);
    }
};

// With the longest of addresses a job of so many fits into one record.
constexpr unsigned max_job_recipients = 100;

struct Job {
    static constexpr std::string_view message_name = "job";
    JobId job = 0;
    std::string queue_id;
    std::string transport;        // its name in master.cf
    std::string nexthop;
    util::UniqueFd message;       // the queue file, read-only
    std::string sender;
    std::int64_t arrival = 0;     // microseconds since 1970
    std::int64_t activated = 0;   // when qmgr took it up, for delays=
    bool verify = false;          // deliver nothing: could it be delivered?  Delivered says yes
    bool tell_stored = true;      // a StoredNotice lets another delivery to the destination start
    bool followed = false;        // more is there for the same nexthop: a connection is worth keeping
    std::vector<JobRecipient> recipients;

    static void fields(auto& message, auto& visit)
    {
        visit("job", message.job);
        visit("queue_id", message.queue_id);
        visit("transport", message.transport);
        visit("nexthop", message.nexthop);
        visit("message", message.message);
        visit("sender", message.sender);
        visit("arrival", message.arrival);
        visit("activated", message.activated);
        visit("verify", message.verify);
        visit("tell_stored", message.tell_stored);
        visit("followed", message.followed);
        visit("recipient", message.recipients);
    }
};

enum class Disposition : std::uint8_t { Delivered, Deferred, Bounced, last_ = Bounced };

// Values of DeliveryStatus::action.
constexpr std::string_view action_relayed = "relayed";     // out of reach of notifications
constexpr std::string_view action_expanded = "expanded";   // an alias for several
constexpr std::string_view action_none = "none";           // handed on with the sender's wishes: nobody is told here

// What became of one recipient in one attempt.
struct DeliveryStatus {
    Disposition disposition = Disposition::Deferred;
    std::string dsn;              // "2.0.0"
    std::string text;             // for status=sent (TEXT), and for the DSN
    std::string relay;            // for relay=; "local", "mx.example.org[192.0.2.1]:25"
    std::string diagnostic;       // the remote reply, "smtp; 550 5.1.1 ...", for the DSN
    std::string remote_mta;       // name, for the DSN
    std::string action;           // of a delivery, when it is not that: action_relayed ...

    static void fields(auto& message, auto& visit)
    {
        visit("disposition", message.disposition);
        visit("dsn", message.dsn);
        visit("text", message.text);
        visit("relay", message.relay);
        visit("diagnostic", message.diagnostic);
        visit("remote_mta", message.remote_mta);
        visit("action", message.action);
    }
};

struct StoredNotice {
    static constexpr std::string_view message_name = "stored";
    JobId job = 0;
    std::uint32_t index = 0;

    static void fields(auto& message, auto& visit)
    {
        visit("job", message.job);
        visit("index", message.index);
    }
};

struct Outcome {
    static constexpr std::string_view message_name = "outcome";
    JobId job = 0;
    std::uint32_t index = 0;
    DeliveryStatus status;
    std::int64_t connection_delay = 0;   // microseconds, the c and d of delays=a/b/c/d
    std::int64_t transmission_delay = 0;
    bool destination_failed = false;     // the nexthop as a whole is at fault (dead-destination detection)
    // Processes that ended while they worked on this message, it alone at last; they count as agents.
    std::uint32_t deaths = 0;
    bool connected = false;              // the agent keeps a connection to the job's nexthop for its next job
    bool expanded = false;               // by an alias: who are behind it is not told to strangers
    std::string return_to;               // who hears of the failure instead of the sender: a mailing list's owner
    std::string pass_to;                 // "transport:nexthop" that is to deliver it instead: no status yet

    static void fields(auto& message, auto& visit)
    {
        visit("job", message.job);
        visit("index", message.index);
        visit("status", message.status);
        visit("connection_delay", message.connection_delay);
        visit("transmission_delay", message.transmission_delay);
        visit("destination_failed", message.destination_failed);
        visit("deaths", message.deaths);
        visit("connected", message.connected);
        visit("expanded", message.expanded);
        visit("return_to", message.return_to);
        visit("pass_to", message.pass_to);
    }
};

// qmgr -> bounce: tell whoever is to hear of it what became of these recipients of this message: the
// sender, of those for which `wants` says so, and the postmaster by notify_classes (notices.h).  The
// answer is one Outcome with index 0: Delivered when nothing remains to be written.
struct Notify {
    static constexpr std::string_view message_name = "notify";
    enum class Kind : std::uint8_t {
        Failure,
        Delay,
        Success,
        Report,   // Envelope::report
        last_ = Report
    };
    JobId job = 0;
    Kind kind = Kind::Failure;
    std::string queue_id;
    util::UniqueFd message;
    Envelope envelope;
    std::int64_t expires = 0;     // microseconds since 1970, for Will-Retry-Until
    std::vector<JobRecipient> recipients;
    std::vector<DeliveryStatus> statuses;   // one for each recipient

    static void fields(auto& message, auto& visit)
    {
        visit("job", message.job);
        visit("kind", message.kind);
        visit("queue_id", message.queue_id);
        visit("message", message.message);
        visit("envelope", message.envelope);
        visit("expires", message.expires);
        visit("recipient", message.recipients);
        visit("status", message.statuses);
    }
};

// Has the sender wished to hear of this (RFC 3461 §4.1)?  Of success only where he said so.
constexpr bool wants(std::uint8_t notify, Notify::Kind kind)
{
    switch (kind) {
    case Notify::Kind::Failure: return notify == NotifyDefault || (notify & NotifyFailure);
    case Notify::Kind::Delay: return notify == NotifyDefault || (notify & NotifyDelay);
    case Notify::Kind::Success: return notify & NotifySuccess;
    case Notify::Kind::Report: return true;
    }
    return false;
}

}  // namespace ipc
