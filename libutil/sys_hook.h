// Where the fault layer stands between a wrapper of libutil/sys and the kernel.
//
// In ordinary builds the hook is nothing at all; with -DTERN_FAULTS libutil/sys_faults.cc records
// each mutating call, fails it, or ends the process there.
#pragma once

#include <cstdint>
#include <string_view>

namespace util::sys {

// One call that changes what is on disk, before it is made.
struct Operation {
    std::string_view name;        // "pwrite", "rename", "fsync", ...
    int fd = -1;                  // what it works on, or the directory of `path`
    std::string_view path = {};   // relative to fd when fd >= 0
    int other_fd = -1;
    std::string_view other_path = {};
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    std::string_view data = {};
};

// What the hook wants: 0 go on, -1 pretend that it succeeded (syncs in the mode without syncs),
// else the errno to fail with.
#ifdef TERN_FAULTS
int before(const Operation& operation);
// After a successful call that made a descriptor: `fd` is what `operation` opened.
void opened(int fd, const Operation& operation);
#else
inline int before(const Operation&) { return 0; }
inline void opened(int, const Operation&) {}
#endif

}  // namespace util::sys
