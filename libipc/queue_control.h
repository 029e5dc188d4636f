// ternqueue(1), ternsuper(1) and tern(1) -> qmgr(8), over its public socket.
//
//   tool:  QueueList                            qmgr: QueueItem.. QueueEnd
//   tool:  QueueFlush, QueueChange              qmgr: QueueEnd
//
// One request at a time; the peer's uid (SO_PEERCRED) decides what it may ask for.
#pragma once

#include "libipc/wire.h"

namespace ipc {

struct QueueList {
    static constexpr std::string_view message_name = "queue-list";
    unsigned version = 1;
    std::vector<std::string> queue_ids;   // these alone, those of the corrupt queue too; none: all mail that waits

    static void fields(auto& message, auto& visit)
    {
        visit("version", message.version);
        visit("queue_id", message.queue_ids);
    }
};

struct QueueItemRecipient {
    std::string address;
    std::string reason;    // of its delay; empty if there was no attempt

    static void fields(auto& message, auto& visit)
    {
        visit("address", message.address);
        visit("reason", message.reason);
    }
};

// One message; its recipients that are not done.  One with many comes in several items in a row.
struct QueueItem {
    static constexpr std::string_view message_name = "queue-item";
    std::string queue;             // incoming, active, deferred, hold
    std::string queue_id;
    std::uint64_t size = 0;        // bytes of content
    std::int64_t arrival = 0;      // microseconds since 1970
    std::int64_t last_change = 0;  // of a deferred message: its last attempt
    std::int64_t next_attempt = 0; // of a deferred message, when qmgr says it
    std::string sender;
    bool forced_expire = false;    // goes back to its sender at the next attempt, as was ordered
    bool continued = false;        // goes on with the recipients of the item before
    std::vector<QueueItemRecipient> recipients;

    static void fields(auto& message, auto& visit)
    {
        visit("queue", message.queue);
        visit("queue_id", message.queue_id);
        visit("size", message.size);
        visit("arrival", message.arrival);
        visit("last_change", message.last_change);
        visit("next_attempt", message.next_attempt);
        visit("sender", message.sender);
        visit("forced_expire", message.forced_expire);
        visit("continued", message.continued);
        visit("recipient", message.recipients);
    }
};

// All deferred mail, one message, or what is for one domain, now.
struct QueueFlush {
    static constexpr std::string_view message_name = "queue-flush";
    std::string queue_id;
    std::string site;
    bool wait = true;     // the answer comes when the site's mail has been looked up; else at once

    static void fields(auto& message, auto& visit)
    {
        visit("queue_id", message.queue_id);
        visit("site", message.site);
        visit("wait", message.wait);
    }
};

// Queues by bits (libqueue/change.h).
using QueueSet = std::uint8_t;

// One message, or all that are in some queues.
struct QueueChange {
    static constexpr std::string_view message_name = "queue-change";
    enum class Kind : std::uint8_t {
        Hold,
        Release,
        Remove,
        Expire,          // back to the sender at the next attempt, unless that delivers it
        ExpireRelease,   // the same, on hold or not
        last_ = ExpireRelease
    };
    std::string queue_id;
    Kind kind = Kind::Hold;
    bool all = false;       // instead of queue_id
    QueueSet queues = 0;    // where to look; 0: wherever the change makes sense
    std::string reason;     // for story and log; empty: by request

    static void fields(auto& message, auto& visit)
    {
        visit("queue_id", message.queue_id);
        visit("kind", message.kind);
        visit("all", message.all);
        visit("queues", message.queues);
        visit("reason", message.reason);
    }
};

struct QueueEnd {
    static constexpr std::string_view message_name = "queue-end";
    std::uint64_t count = 0;   // messages that were listed or changed
    std::string error;         // why the request failed; empty: done

    static void fields(auto& message, auto& visit)
    {
        visit("count", message.count);
        visit("error", message.error);
    }
};

}  // namespace ipc
