// The directory of a user's mail: made at first use, checked at every use.
#pragma once

#include "libutil/result.h"

#include <string>
#include <sys/types.h>

namespace usher {

// Makes mail_store_directory if it is not there: mode 0711.
util::Result<void> prepare_root(const std::string& root);

// Makes sure that `home` is a directory, 0700 and owned by `uid`, without following a symbolic
// link below `root` (mail_store_directory).  Missing directories between the two are made 0711 and
// stay usher's own, so that no user can replace another's.
//
// `own_uid`: usher has no privileges and all mail is its own; no owner is changed.
// Permanent when the home is not below `root`, or what is there belongs to somebody else or is no directory; Temporary when the
// directory cannot be made now.
util::Result<void> prepare_home(const std::string& root, const std::string& home, uid_t uid, gid_t gid,
                                bool own_uid);

}  // namespace usher
