// Where the fault layer stands between a wrapper of libutil/sys and the kernel.
//
// In ordinary builds the hook is nothing at all.  In a build with -DTERN_FAULTS (make
// VARIANT=faults) and with TERN_FAULT_FILE in the environment, libutil/sys_faults.cc counts each
// call that changes what is on disk, records it, fails it, or ends the process there.
//
// The file named by TERN_FAULT_FILE has lines "name value":
//
//   state FILE          shared by all processes and the test, see below.  Required
//   journal DIRECTORY   each process records its calls in DIRECTORY/PROGRAM.PID
//   no-sync yes         fsync and fdatasync do nothing and succeed (they are recorded as "nosync")
//
// Programs read it before they enter their sandbox; mailbox(8) is born in usher's, and finds only what
// lies below mail_store_directory.  All uids must be able to read the file, write the state, and
// make files in the journal's directory.
//
// The state is 64 bytes, little-endian, zero at first.  It is looked at before each call, so that a
// test can arm the next fault while the daemons run (`at` first set to 0 and last to its new value):
//
//    0  sequence   calls recorded so far
//    8  counted    calls of `program` since the test set this to 0
//   16  fired      1 once the fault was made: it is made once
//   24  at         at the N-th counted call (1 is the first) ...
//   32  action     ... 1: it fails with `code`; 2: the process dies before it; 3: dies when half of a
//                  write is done (as 2 for other calls)
//   40  code       an errno
//   48  program    whose calls are counted (argv[0] without directories), 15 bytes; all if empty
//
// A record is a line of text, and `data` bytes with an end of line:
//
//   SEQ NAME fd=DEV:INO owner=UID:GID:MODE dir=DEV:INO path=HEX other=DEV:INO other_path=HEX
//       offset=N length=N data=N
//
// SEQ orders the records of all processes.  fd and owner are the file; dir is what the name `path` is
// relative to (0:0 when absolute), other and other_path are the second name of rename and link.
// "open" (with its flags as length; a nameless file has its directory as path) and "mkdir" are
// recorded after they succeeded, with what they made as fd.  Other calls are recorded before they
// are made, whether they succeed or not.  Memory files and sockets do not count.
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
// After a successful mkdir.
void made_directory(const Operation& operation);
// The layer's own descriptor, which must stay open; -1 when there is none.
int fault_descriptor();
#else
inline int before(const Operation&) { return 0; }
inline void opened(int, const Operation&) {}
inline void made_directory(const Operation&) {}
inline int fault_descriptor() { return -1; }
#endif

}  // namespace util::sys
