// The main.cf(5) parameters of usher(8), those of mailbox(8) among them: usher reads them and hands
// them over, so that a mailbox starts without main.cf.
#pragma once

#include "libconf/parameter.h"

namespace usher {

struct Config : conf::Section {
    conf::Count minimum_uid{this, "usher_minimum_uid", "1000", {.min = 1, .max = UINT32_MAX - 1},
        "No mailbox runs under a uid below this one, and never under root's."};
    conf::Count process_limit{this, "mailbox_process_limit", "500", {.min = 1, .max = 100'000},
        "How many mailbox processes there may be.  At the limit the one without sessions that has "
        "been without orders longest is told to leave; when all have sessions, mail is deferred and "
        "log-ins are refused for the time being."};
    conf::Duration order_timeout{this, "usher_order_timeout", "10s",
        {.min = std::chrono::milliseconds(10), .max = std::chrono::hours(1)},
        "How long an order waits for room below mailbox_process_limit, and for auth(8)."};
    conf::Duration exit_timeout{this, "mailbox_exit_timeout", "30s",
        {.min = std::chrono::milliseconds(10), .max = std::chrono::hours(1)},
        "How long a mailbox process that was told to leave may take before it is killed; not longer than half of "
        "$master_stop_time counts when the mail system stops."};
    conf::Duration failure_pause{this, "mailbox_failure_pause", "1s",
        {.min = std::chrono::milliseconds(0), .max = std::chrono::hours(1)},
        "How long after a mailbox process failed within ten seconds of its start the next is started "
        "for its user; orders for that user wait meanwhile.  When the process did not even become ready, "
        "orders are refused, so that mail is deferred, and each further such failure doubles the pause."};
    conf::Duration failure_pause_limit{this, "mailbox_failure_pause_limit", "60s",
        {.min = std::chrono::milliseconds(0), .max = std::chrono::hours(24)},
        "The longest pause that comes of such doubling: so long after its cause is gone a user's mailbox "
        "is back at the latest."};

    conf::Duration idle_time{this, "mailbox_idle_time", "60s",
        {.min = std::chrono::milliseconds(100), .max = std::chrono::hours(24 * 30)},
        "How long a mailbox process without sessions and deliveries waits for more before it ends."};
    conf::Count session_limit{this, "mailbox_session_limit", "64", {.min = 1, .max = 10'000},
        "How many sessions one user may have at a time."};
    conf::Duration flag_sync_delay{this, "mailbox_flag_sync_delay", "1s",
        {.min = std::chrono::milliseconds(0), .max = std::chrono::minutes(10)},
        "How long after it was made a change of flags may be lost by a power failure; 0: a change "
        "is on disk before the client hears that it was made."};
    conf::Duration undelete_time{this, "mailbox_undelete_time", "14d",
        "How long expunged messages and removed mailboxes can be restored."};
    conf::Size undelete_limit{this, "mailbox_undelete_limit", "1073741824",
        "How many bytes of expunged messages are kept for that at most; the oldest go first."};
    conf::Size segment_size{this, "mailbox_segment_size", "16777216", {.min = 65'536, .max = 1U << 30},
        "About how large a segment of a store's log grows before the next is begun."};
    conf::Size quota_bytes{this, "mailbox_quota_bytes", "0",
        "How many bytes of mail one user may have; 0 is no limit."};
    conf::Count quota_messages{this, "mailbox_quota_messages", "0",
        "How many messages one user may have; 0 is no limit."};
    conf::Size data_limit{this, "mailbox_data_limit", "1073741824", {.min = 16U << 20, .max = std::uint64_t(1) << 40},
        "How much memory one mailbox process may allocate: several times message_size_limit."};
    conf::Count open_files{this, "mailbox_open_files", "512", {.min = 64, .max = 1'000'000},
        "How many files and connections one mailbox process may have open."};
};

}  // namespace usher
