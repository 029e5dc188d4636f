// When a deferred message is tried again.
//
// The file's mtime is the time of the last attempt, whose outcome qmgr(8) has appended (it does not
// own the file, so it could not set another time).  The time of the next one follows from it: a
// message waits as long again as it is old, within limits.
#pragma once

#include "libqueue/queue_id.h"

#include <sys/stat.h>

#include <algorithm>

namespace queue {

struct Backoff {
    std::int64_t minimal = 0;   // microseconds
    std::int64_t maximal = 0;

    // How long a message of that age waits.
    std::int64_t delay(std::int64_t age) const { return std::clamp(age, minimal, std::max(minimal, maximal)); }

    // The next attempt, in microseconds since 1970, for the deferred file of that name.
    std::int64_t next_attempt(std::string_view id, const struct stat& status) const
    {
        std::int64_t last = std::int64_t(status.st_mtim.tv_sec) * 1'000'000 + status.st_mtim.tv_nsec / 1000;
        return last + delay(last - time_of(id));
    }
};

}  // namespace queue
