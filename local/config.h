// The main.cf(5) parameters of local(8).
#pragma once

#include "libconf/parameter.h"

namespace local {

struct Config : conf::Section {
    conf::Count job_limit{this, "local_job_limit", "200", {.min = 1, .max = 10'000},
        "How many jobs local(8) takes from qmgr(8) at a time.  Each holds its message in memory, up "
        "to 64 KB of it as such and the rest as a file in memory."};
    conf::Count connection_limit{this, "local_mailbox_connection_limit", "100", {.min = 1, .max = 100'000},
        "How many connections to users' mailboxes are kept.  There may be more for a while when more "
        "users get mail at once."};
    conf::Duration delivery_timeout{this, "local_delivery_timeout", "300s",
        {.min = std::chrono::milliseconds(100), .max = std::chrono::hours(24)},
        "How long a mailbox may owe an answer before its deliveries are deferred."};
    conf::Flag over_quota_defer{this, "local_over_quota_defer", "no",
        "Whether mail for a user who is over quota waits in the queue (4.2.2) instead of going back "
        "to its sender (5.2.2)."};
    conf::Flag enable_original_recipient{this, "enable_original_recipient", "yes",
        "Whether a delivered message says in X-Original-To for which address it was sent, where "
        "that is another than the one it was delivered to."};
};

}  // namespace local
