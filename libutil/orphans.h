// Processes that outlived who started them, and fell to this one: for programs that run what others wrote
// and are not to leave it behind.
//
// A program whose child runs foreign code adopts what that child leaves (a group or a session of its own
// is no way out), and ends what is nobody's whenever a child has ended.
#pragma once

#include "libutil/result.h"

#include <functional>
#include <sys/types.h>

namespace util {

// From now on orphans among one's descendants become one's own children (PR_SET_CHILD_SUBREAPER).
Result<void> adopt_orphans();

// Kills all children of this process that the caller does not know; they are buried like others.  How many
// there were; without /proc none are found.
std::size_t kill_orphans(const std::function<bool(pid_t)>& is_known);

// Kills a child and the process group that it leads, if it has come to lead one.
void end_group(pid_t pid);

// Buries all children that have ended, each with what is left of its group, and tells of each.
void bury_groups(const std::function<void(pid_t pid, int wait_status)>& ended);

}  // namespace util
