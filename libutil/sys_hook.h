// Where the fault layer stands between a wrapper of libutil/sys and the kernel.
//
// In ordinary builds the hook is nothing at all.  In a build with -DTERN_FAULTS (make
// VARIANT=faults) and with TERN_FAULT_FILE in the environment, libutil/sys_faults.cc counts each
// call that changes what is on disk, records it, fails it, or ends the process there.
//
// The file named by TERN_FAULT_FILE has lines "name value":
//
//   state FILE          shared by all processes: three little-endian 64-bit numbers: calls recorded so
//                       far, counted calls of `program`, 1 once the fault was made.  Required; made
//                       by the test, 24 zero bytes, writable for all
//   program NAME        whose calls are counted (argv[0] without directories); all without this line
//   at N                at the N-th counted call (1 is the first) ...
//   action fail ERRNO   ... it fails, or
//   action kill         ... the process dies before it, or
//   action tear         ... dies when half of a write is done (as kill, for other calls)
//   journal DIRECTORY   each process records its calls in DIRECTORY/PROGRAM.PID
//   no-sync yes         fsync and fdatasync do nothing and succeed (they are recorded as "nosync")
//
// The fault is made once.  A record is a line of text, and `data` bytes with an end of line:
//
//   SEQ NAME fd=DEV:INO dir=DEV:INO path=HEX other=DEV:INO other_path=HEX offset=N length=N data=N
//
// SEQ orders the records of all processes.  fd is the file; dir and path are what a name was
// relative to (dir 0:0 for absolute paths and the working directory), other and other_path the
// second name of rename and link.  "open" is recorded after it succeeded, with its flags as length
// and the file as fd; a nameless file has its directory as path.  Other calls are recorded before
// they are made, whether they succeed or not.  Memory files and sockets do not count.
#pragma once

#include <cstdint>
#include <string_view>

namespace util::sys {

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

// What the hook wants before a call: 0 go on, -1 pretend that it succeeded, else the errno to fail
// with.
#ifdef TERN_FAULTS
int before(const Operation& operation);
// After a successful call that made a descriptor: `fd` is what `operation` opened.
void opened(int fd, const Operation& operation);
// The layer's own descriptor, which must stay open; -1 when there is none.
int fault_descriptor();
#else
inline int before(const Operation&) { return 0; }
inline void opened(int, const Operation&) {}
inline int fault_descriptor() { return -1; }
#endif

}  // namespace util::sys
