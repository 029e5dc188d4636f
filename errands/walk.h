// Opening a path that root has named, where others own directories on its way.
#pragma once

#include "libutil/result.h"
#include "libutil/unique_fd.h"

#include <string>
#include <sys/stat.h>

namespace errands {

constexpr int max_links = 40;   // symbolic links on one way, as the kernel has it

struct Named {
    util::UniqueFd file;   // O_PATH: nothing of it is read yet
    struct stat status;
};

// Goes from the root directory on, and follows symbolic links of root only (in an instance without root, also
// the caller's): where a user could put one, he would choose whose file is taken for the one that root has named.
// NotFound: there is none.  Permanent: a link of somebody else, or too many.
util::Result<Named> find_named(const std::string& path);

}  // namespace errands
