// Delivery to files: mailbox files (mbox) and maildirs, in the rights that the process has.
#pragma once

#include "errands/letter.h"
#include "libutil/time.h"

#include <optional>
#include <string>
#include <sys/types.h>

namespace errands {

struct FileRules {
    bool fcntl_lock = true;
    bool flock_lock = false;
    bool dot_lock = true;
    bool dot_lock_may_fail = false;     // in directories where no lock file can be made: /file/name of aliases
    unsigned attempts = 20;             // deliver_lock_attempts
    util::Duration delay{1'000'000};    // deliver_lock_delay
    util::Duration stale{500'000'000};  // stale_lock_time
    std::uint64_t size_limit = 0;       // bytes of the file; 0 = none
    std::optional<uid_t> owner;         // whose it must be (strict_mailbox_ownership)
    bool delivered_to = true;
};

// Appends the message to a mailbox file, which is made if it is not there, and syncs.  When it cannot be
// written whole the file is as before.  Devices and pipes are written to without lock or sync.  Errors:
// Permanent with code EFBIG over the limit, EISDIR where there is a directory; others to try again.
util::Result<void> append_to_file(const std::string& path, const ipc::RunEntry& order, const FileRules& rules);

// Puts the message into a maildir, which is made if it is not there: tmp, then new, with syncs.
util::Result<void> put_into_maildir(const std::string& path, const ipc::RunEntry& order, const FileRules& rules,
                                    std::string_view hostname);

}  // namespace errands
