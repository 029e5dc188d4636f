// The system calls of a sandbox; used by Sandbox only.
#pragma once

#include "libutil/result.h"
#include "libutil/sandbox_filter.h"

#include <vector>

namespace util {

struct SeccompChoice {
    bool files = false;
    bool connect = false;
    bool network = false;
    bool network_from = false;
    bool processes = false;
    bool forks = false;
    bool programs = false;
    bool threads = false;
    bool credentials = false;
    bool never_lingers = false;
    const std::vector<int>& more;  // numbers
};

// What the choice comes to.
std::vector<CallRule> call_rules(const SeccompChoice& choice);

// Builds the filter and loads it.  False where the kernel, the build (sanitizers) or the
// architecture has none.
// A call outside the list logs its number and ends the process by SIGSYS.
Result<bool> enter_seccomp(const SeccompChoice& choice);

}  // namespace util
