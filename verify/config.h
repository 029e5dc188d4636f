// The main.cf(5) parameters of verify(8): their only declaration.
#pragma once

#include "libipc/notices.h"
#include "verify/cache.h"

namespace verify {

struct Config : ipc::NoticeConfig {
    conf::Text map{this, "address_verify_map", "btree:$data_directory/verify/cache", {.max = 1000},
        "Where results are kept while the daemon does not run: btree:, hash: or lmdb: and a path without .db or "
        ".lmdb, in a directory to which verify(8) may write.  Empty: they are forgotten then."};
    conf::Flag negative_cache{this, "address_verify_negative_cache", "yes",
        "Whether it is remembered that an address is not deliverable.  With no each question about such an address "
        "makes a probe."};
    conf::Duration positive_expire_time{this, "address_verify_positive_expire_time", "31d",
        {.min = std::chrono::seconds(1)}, "How long a deliverable address counts as that."};
    conf::Duration positive_refresh_time{this, "address_verify_positive_refresh_time", "7d",
        {.min = std::chrono::seconds(1)},
        "After this time a deliverable address is probed again when it is asked for; the asker does not wait for it."};
    conf::Duration negative_expire_time{this, "address_verify_negative_expire_time", "3d",
        {.min = std::chrono::seconds(1)}, "How long an address that is not deliverable counts as that."};
    conf::Duration negative_refresh_time{this, "address_verify_negative_refresh_time", "3h",
        {.min = std::chrono::seconds(1)},
        "After this time an address that is not deliverable is probed again when it is asked for."};
    conf::Duration cleanup_interval{this, "address_verify_cache_cleanup_interval", "12h", {},
        "How often results that have expired are removed; 0: only when they are asked for."};
    conf::Count cache_limit{this, "address_verify_cache_limit", "100000", {.min = 1, .max = 10'000'000},
        "How many addresses are remembered.  Beyond it the one that was not asked for the longest is forgotten."};
    conf::Count pending_request_limit{this, "address_verify_pending_request_limit", "5000", {.min = 1, .max = 1'000'000},
        "How many probes may be on their way.  Beyond it addresses that are not known stay so."};
    conf::Text sender{this, "address_verify_sender", "$double_bounce_sender", {.max = 256},
        "The sender of probes, completed with $myorigin.  Empty, or <>: the null sender, which some sites refuse "
        "against all rules."};
    conf::Duration sender_ttl{this, "address_verify_sender_ttl", "0s", {.max = std::chrono::hours(24 * 365)},
        "How long each sender of probes is good for: behind its name stands a part that changes so often.  0: it stays.  What "
        "sites remember of it is of no use then: not less than an hour is."};

    Times times() const
    {
        return {.positive_expire = seconds(positive_expire_time), .positive_refresh = seconds(positive_refresh_time),
                .negative_expire = seconds(negative_expire_time), .negative_refresh = seconds(negative_refresh_time),
                .negative_cache = *negative_cache, .limit = std::size_t(*cache_limit)};
    }

private:
    static std::int64_t seconds(const conf::Duration& time)
    {
        return std::chrono::floor<std::chrono::seconds>(*time).count();
    }
};

}  // namespace verify
