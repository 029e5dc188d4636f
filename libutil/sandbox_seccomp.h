// The system calls of a sandbox; used by Sandbox only.
#pragma once

#include "libutil/result.h"

#include <string>
#include <vector>

namespace util {

struct SeccompChoice {
    bool files = false;
    bool connect = false;
    bool network = false;
    bool processes = false;
    bool programs = false;
    bool threads = false;
    bool credentials = false;
    const std::vector<std::string>& more;
};

// Builds the filter and loads it.  False where the kernel or the build (sanitizers) has none.
// A call outside the list logs its number and ends the process by SIGSYS.
Result<bool> enter_seccomp(const SeccompChoice& choice);

}  // namespace util
