// Becoming another user for good, without a look at any list of users.
#pragma once

#include "libutil/result.h"

#include <sys/types.h>

namespace util {

// All three uids and gids become these, there are no supplementary groups, and there is no way back.  An error
// leaves the process in between: it must end.
Result<void> change_identity(uid_t uid, gid_t gid);

}  // namespace util
