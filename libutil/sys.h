// System calls, each wrapped once: errors as values, EINTR repeated, O_CLOEXEC always.
//
// Every call that changes what is on disk goes through here.  That makes this file the one place
// where tests make the N-th call fail, end the process there, or record what was written and what
// a sync has covered.
#pragma once

#include "libutil/result.h"
#include "libutil/unique_fd.h"

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace util::sys {

// --- files -------------------------------------------------------------------------------------

Result<UniqueFd> open(const std::string& path, int flags, mode_t mode = 0600);
Result<UniqueFd> openat(int directory, const std::string& path, int flags, mode_t mode = 0600);
// A nameless file in `directory` (O_TMPFILE); Permanent where the file system cannot.
Result<UniqueFd> open_nameless(const std::string& directory, int flags, mode_t mode = 0600);
// The same file through a new open file description with other flags (by way of /proc/self/fd).
Result<UniqueFd> reopen(int fd, int flags);

Result<std::size_t> read(int fd, std::span<char> buffer);  // 0 at the end
Result<std::size_t> pread(int fd, std::span<char> buffer, std::uint64_t offset);
// All of it, or an error.
Result<void> write_all(int fd, std::string_view bytes);
Result<void> pwrite_all(int fd, std::string_view bytes, std::uint64_t offset);
// All pieces in one call where the kernel takes them (writev); at most 1,024 pieces.
Result<void> writev_all(int fd, std::span<const std::string_view> pieces);

// A failed sync is never retried: the kernel may have dropped the pages already.
Result<void> fsync(int fd);
Result<void> fdatasync(int fd);
// Opens the directory, syncs it, closes it.
Result<void> sync_directory(const std::string& path);

Result<void> ftruncate(int fd, std::uint64_t size);
Result<void> fallocate_keep_size(int fd, std::uint64_t offset, std::uint64_t length);
// Does the file system write new bytes to where the old ones stand (ext4, XFS)?  Others write them elsewhere.
bool writes_in_place(int fd);
Result<void> punch_hole(int fd, std::uint64_t offset, std::uint64_t length);

Result<void> rename(const std::string& from, const std::string& to);
Result<void> renameat(int from_directory, const std::string& from, int to_directory,
                      const std::string& to);
Result<void> link(const std::string& from, const std::string& to);
// Gives an open (nameless) file its name, by way of /proc/self/fd; fails if the name exists.
Result<void> link_fd(int fd, int directory, const std::string& name);
Result<void> unlink(const std::string& path);
Result<void> unlinkat(int directory, const std::string& name, int flags = 0);
Result<void> mkdir(const std::string& path, mode_t mode);
Result<void> mkdirat(int directory, const std::string& path, mode_t mode);
Result<void> rmdir(const std::string& path);
Result<void> chmod(const std::string& path, mode_t mode);
Result<void> fchmod(int fd, mode_t mode);
Result<void> chown(const std::string& path, uid_t uid, gid_t gid);
Result<void> fchown(int fd, uid_t uid, gid_t gid);
// The owner only.
Result<void> set_times(int fd, std::int64_t mtime_microseconds);
// Sets mtime and atime to now; whoever may write to the file may do that.
Result<void> touch(int fd);

Result<struct stat> stat(const std::string& path);
Result<struct stat> lstat(const std::string& path);
Result<struct stat> fstat(int fd);
Result<struct stat> fstatat(int directory, const std::string& name, int flags = 0);
// Bytes and inodes that an unprivileged process can still use on the file system of `fd`.
struct FreeSpace {
    std::uint64_t bytes = 0;
    std::uint64_t inodes = 0;
};
Result<FreeSpace> free_space(int fd);
// The names in a directory, without "." and "..", in the order of the file system.
Result<std::vector<std::string>> list_directory(int directory);

// flock(2).  try_lock answers false when another holds it.
Result<void> lock_exclusive(int fd);
Result<bool> try_lock_exclusive(int fd);
Result<bool> try_lock_shared(int fd);

// A file in memory that can be sealed.
Result<UniqueFd> memfd(const char* name);
// No more writing, growing, shrinking or unsealing.
Result<void> seal(int fd);
// Is the descriptor a memfd with all those seals?
bool is_sealed(int fd);

// --- whole files -------------------------------------------------------------------------------

// The whole of a file; Permanent when it is larger than `limit` bytes.
Result<std::string> read_file(const std::string& path, std::size_t limit);
Result<std::string> read_fd(int fd, std::size_t limit);
struct Owner {
    uid_t uid = 0;
    gid_t gid = 0;
};
// Replaces a file: temporary name in the same directory, sync, rename, sync of the directory.  It has mode and
// owner (the caller, unless one is given) before it has its name; when something fails the old file stays alone.
Result<void> replace_file(const std::string& path, std::string_view content, mode_t mode = 0644,
                          const std::optional<Owner>& owner = {});

// --- the limit of open files ---------------------------------------------------------------------

// EMFILE or ENFILE: no descriptor is free now, and one may be in a moment.
bool is_descriptor_shortage(int code);
// Which limit that is, for the log: "this process may have 256 files open (RLIMIT_NOFILE)".
std::string explain_shortage(int code);

// --- sockets and processes -----------------------------------------------------------------------

struct SocketPair {
    UniqueFd first;
    UniqueFd second;
};
Result<SocketPair> socket_pair(int type);  // AF_UNIX
struct PeerCredentials {
    pid_t pid = 0;
    uid_t uid = 0;
    gid_t gid = 0;
};
Result<PeerCredentials> peer_credentials(int fd);  // SO_PEERCRED
// What tells a socket from all others that there are or were, whatever descriptor it has (SO_COOKIE); never 0.
Result<std::uint64_t> socket_cookie(int fd);
// Closes all descriptors from this one on: the first thing a forked or exec'd child does, since an
// inherited end of a connection would never let its peer see the end.
Result<void> close_from(int first);
// Another descriptor for the same open file, close-on-exec.
Result<UniqueFd> duplicate(int fd);
Result<void> set_nonblocking(int fd, bool on);
Result<void> set_close_on_exec(int fd, bool on);
// Has TCP acknowledge at once what was received, where it was much.  A client that sends a literal and the end of its line with
// two calls keeps the second back until then (RFC 896), and a delayed acknowledgement (RFC 1122 §4.2.3.2) costs it 40 ms.
constexpr std::size_t acknowledged_at_once = 1024;
void acknowledge(int socket, std::size_t received);
// Closes a socket whose options another process may have set: SO_LINGER has close() wait for the peer, also where nothing
// else does.
void close_at_once(UniqueFd& socket);

}  // namespace util::sys
