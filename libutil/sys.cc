// System calls on files and directories.
#include "libutil/sys.h"

#include "libutil/sys_hook.h"
#include "libutil/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace util::sys {

namespace {

// Repeats what a signal interrupted.
template <typename Call>
auto retry(Call call)
{
    decltype(call()) result;
    do {
        result = call();
    } while (result < 0 && errno == EINTR);
    return result;
}

// A mutating call that answers 0 or -1.
template <typename Call>
Result<void> change(const Operation& operation, std::string_view what, Call call)
{
    int verdict = before(operation);
    if (verdict == -1)
        return {};
    if (verdict == 0 && retry(call) == 0)
        return {};
    return system_error(concat(operation.name, " ", what), verdict != 0 ? verdict : errno);
}

std::string descriptor(int fd) { return concat("descriptor ", fd); }
std::string proc_path(int fd) { return concat("/proc/self/fd/", fd); }

// O_TMPFILE has the bit of O_DIRECTORY in it.
bool changes_disk(int flags)
{
    return (flags & (O_CREAT | O_TRUNC)) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

}  // namespace

Result<UniqueFd> open(const std::string& path, int flags, mode_t mode)
{
    return openat(AT_FDCWD, path, flags, mode);
}

Result<UniqueFd> openat(int directory, const std::string& path, int flags, mode_t mode)
{
    Operation operation{.name = "open", .fd = directory, .path = path, .length = std::uint64_t(flags)};
    if (changes_disk(flags)) {
        if (int verdict = before(operation); verdict != 0)
            return system_error(concat("open ", path), verdict);
    }
    int fd = retry([&] { return ::openat(directory, path.c_str(), flags | O_CLOEXEC, mode); });
    if (fd < 0)
        return system_error(concat("open ", path), errno);
    opened(fd, operation);
    return UniqueFd(fd);
}

Result<UniqueFd> open_nameless(const std::string& directory, int flags, mode_t mode)
{
    auto fd = open(directory, flags | O_TMPFILE, mode);
    if (fd)
        return fd;
    Error error = fd.take_error();
    // An old kernel sees O_DIRECTORY | O_RDWR only, and says EISDIR.
    if (error.code == EOPNOTSUPP || error.code == EISDIR)
        error.kind = Kind::Permanent;
    return error;
}

Result<UniqueFd> reopen(int fd, int flags)
{
    int copy = retry([&] { return ::open(proc_path(fd).c_str(), flags | O_CLOEXEC); });
    if (copy < 0)
        return system_error(concat("open again ", descriptor(fd)), errno);
    opened(copy, {.name = "reopen", .other_fd = fd});
    return UniqueFd(copy);
}

bool is_descriptor_shortage(int code) { return code == EMFILE || code == ENFILE; }

std::string explain_shortage(int code)
{
    if (code == ENFILE)
        return "all processes together have as many files open as the system permits (fs.file-max)";
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return "this process has as many files open as it may (RLIMIT_NOFILE)";
    return concat("this process may have ", limit.rlim_cur, " files open (RLIMIT_NOFILE)");
}

Result<std::size_t> read(int fd, std::span<char> buffer)
{
    ssize_t got = retry([&] { return ::read(fd, buffer.data(), buffer.size()); });
    if (got < 0)
        return system_error(concat("read ", descriptor(fd)), errno);
    return static_cast<std::size_t>(got);
}

Result<std::size_t> pread(int fd, std::span<char> buffer, std::uint64_t offset)
{
    ssize_t got = retry([&] { return ::pread(fd, buffer.data(), buffer.size(), off_t(offset)); });
    if (got < 0)
        return system_error(concat("read ", descriptor(fd)), errno);
    return static_cast<std::size_t>(got);
}

Result<void> write_all(int fd, std::string_view bytes)
{
    return writev_all(fd, {&bytes, 1});
}

Result<void> pwrite_all(int fd, std::string_view bytes, std::uint64_t offset)
{
    int verdict = before({.name = "pwrite", .fd = fd, .offset = offset, .length = bytes.size(), .data = bytes});
    if (verdict != 0)
        return system_error(concat("write ", descriptor(fd)), verdict);
    while (!bytes.empty()) {
        ssize_t wrote = retry([&] { return ::pwrite(fd, bytes.data(), bytes.size(), off_t(offset)); });
        if (wrote < 0)
            return system_error(concat("write ", descriptor(fd)), errno);
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
        offset += static_cast<std::uint64_t>(wrote);
    }
    return {};
}

Result<void> writev_all(int fd, std::span<const std::string_view> pieces)
{
    CHECK(pieces.size() <= IOV_MAX);
    std::vector<iovec> vector;
    vector.reserve(pieces.size());
    std::uint64_t total = 0;
    for (std::string_view piece : pieces) {
        if (int verdict = before({.name = "write", .fd = fd, .offset = total, .length = piece.size(), .data = piece});
            verdict != 0)
            return system_error(concat("write ", descriptor(fd)), verdict);
        total += piece.size();
        if (!piece.empty())
            vector.push_back({const_cast<char*>(piece.data()), piece.size()});
    }
    std::span<iovec> left(vector);
    while (!left.empty()) {
        ssize_t wrote = retry([&] { return ::writev(fd, left.data(), static_cast<int>(left.size())); });
        if (wrote < 0)
            return system_error(concat("write ", descriptor(fd)), errno);
        auto done = static_cast<std::size_t>(wrote);
        while (!left.empty() && done >= left.front().iov_len) {
            done -= left.front().iov_len;
            left = left.subspan(1);
        }
        if (done > 0) {
            left.front().iov_base = static_cast<char*>(left.front().iov_base) + done;
            left.front().iov_len -= done;
        }
    }
    return {};
}

Result<void> fsync(int fd)
{
    return change({.name = "fsync", .fd = fd}, descriptor(fd), [&] { return ::fsync(fd); });
}

Result<void> fdatasync(int fd)
{
    return change({.name = "fdatasync", .fd = fd}, descriptor(fd), [&] { return ::fdatasync(fd); });
}

Result<void> sync_directory(const std::string& path)
{
    auto fd = TRY(open(path, O_RDONLY | O_DIRECTORY));
    return fsync(fd.get());
}

Result<void> ftruncate(int fd, std::uint64_t size)
{
    return change({.name = "ftruncate", .fd = fd, .length = size}, descriptor(fd),
                  [&] { return ::ftruncate(fd, off_t(size)); });
}

Result<void> fallocate_keep_size(int fd, std::uint64_t offset, std::uint64_t length)
{
    return change({.name = "fallocate", .fd = fd, .offset = offset, .length = length}, descriptor(fd),
                  [&] { return ::fallocate(fd, FALLOC_FL_KEEP_SIZE, off_t(offset), off_t(length)); });
}

Result<void> punch_hole(int fd, std::uint64_t offset, std::uint64_t length)
{
    return change({.name = "punch_hole", .fd = fd, .offset = offset, .length = length}, descriptor(fd), [&] {
        return ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off_t(offset), off_t(length));
    });
}

Result<void> rename(const std::string& from, const std::string& to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

Result<void> renameat(int from_directory, const std::string& from, int to_directory, const std::string& to)
{
    Operation operation{.name = "rename", .fd = from_directory, .path = from, .other_fd = to_directory, .other_path = to};
    return change(operation, concat(from, " to ", to),
                  [&] { return ::renameat(from_directory, from.c_str(), to_directory, to.c_str()); });
}

Result<void> link(const std::string& from, const std::string& to)
{
    Operation operation{.name = "link", .fd = AT_FDCWD, .path = from, .other_fd = AT_FDCWD, .other_path = to};
    return change(operation, concat(from, " to ", to), [&] { return ::link(from.c_str(), to.c_str()); });
}

Result<void> link_fd(int fd, int directory, const std::string& name)
{
    // AT_EMPTY_PATH would need CAP_DAC_READ_SEARCH before Linux 6.10.
    return change({.name = "link_fd", .fd = fd, .other_fd = directory, .other_path = name}, name, [&] {
        return ::linkat(AT_FDCWD, proc_path(fd).c_str(), directory, name.c_str(), AT_SYMLINK_FOLLOW);
    });
}

Result<void> unlink(const std::string& path) { return unlinkat(AT_FDCWD, path); }

Result<void> unlinkat(int directory, const std::string& name, int flags)
{
    return change({.name = "unlink", .fd = directory, .path = name, .length = std::uint64_t(flags)}, name,
                  [&] { return ::unlinkat(directory, name.c_str(), flags); });
}

Result<void> mkdir(const std::string& path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

Result<void> mkdirat(int directory, const std::string& path, mode_t mode)
{
    Operation operation{.name = "mkdir", .fd = directory, .path = path, .length = mode};
    auto made = change(operation, path, [&] { return ::mkdirat(directory, path.c_str(), mode); });
    if (made)
        made_directory(operation);
    return made;
}

Result<void> rmdir(const std::string& path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

Result<void> chmod(const std::string& path, mode_t mode)
{
    return change({.name = "chmod", .fd = AT_FDCWD, .path = path, .length = mode}, path,
                  [&] { return ::chmod(path.c_str(), mode); });
}

Result<void> fchmod(int fd, mode_t mode)
{
    return change({.name = "fchmod", .fd = fd, .length = mode}, descriptor(fd), [&] { return ::fchmod(fd, mode); });
}

Result<void> chown(const std::string& path, uid_t uid, gid_t gid)
{
    Operation operation{.name = "chown", .fd = AT_FDCWD, .path = path, .offset = uid, .length = gid};
    return change(operation, path, [&] { return ::lchown(path.c_str(), uid, gid); });
}

Result<void> fchown(int fd, uid_t uid, gid_t gid)
{
    return change({.name = "fchown", .fd = fd, .offset = uid, .length = gid}, descriptor(fd),
                  [&] { return ::fchown(fd, uid, gid); });
}

Result<void> set_times(int fd, std::int64_t mtime_microseconds)
{
    std::int64_t seconds = mtime_microseconds / 1'000'000;
    std::int64_t rest = mtime_microseconds % 1'000'000;
    if (rest < 0) {
        --seconds;
        rest += 1'000'000;
    }
    timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = rest * 1000}};
    return change({.name = "set_times", .fd = fd, .length = std::uint64_t(mtime_microseconds)}, descriptor(fd),
                  [&] { return ::futimens(fd, times); });
}

Result<void> touch(int fd)
{
    return change({.name = "touch", .fd = fd}, descriptor(fd), [&] { return ::futimens(fd, nullptr); });
}

Result<struct stat> stat(const std::string& path) { return fstatat(AT_FDCWD, path); }

Result<struct stat> lstat(const std::string& path)
{
    return fstatat(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
}

Result<struct stat> fstat(int fd)
{
    struct stat status {};
    if (retry([&] { return ::fstat(fd, &status); }) < 0)
        return system_error(concat("stat ", descriptor(fd)), errno);
    return status;
}

Result<struct stat> fstatat(int directory, const std::string& name, int flags)
{
    struct stat status {};
    if (retry([&] { return ::fstatat(directory, name.c_str(), &status, flags); }) < 0)
        return system_error(concat("stat ", name), errno);
    return status;
}

bool writes_in_place(int fd)
{
    struct statfs status {};
    return ::fstatfs(fd, &status) == 0 && (status.f_type == EXT4_SUPER_MAGIC || status.f_type == XFS_SUPER_MAGIC);
}

Result<FreeSpace> free_space(int fd)
{
    struct statvfs status {};
    if (retry([&] { return ::fstatvfs(fd, &status); }) < 0)
        return system_error(concat("statvfs ", descriptor(fd)), errno);
    // btrfs and others count no inodes: they answer 0 of 0.
    std::uint64_t inodes = status.f_files == 0 ? UINT64_MAX : status.f_favail;
    return FreeSpace{.bytes = std::uint64_t(status.f_bavail) * status.f_frsize, .inodes = inodes};
}

Result<std::vector<std::string>> list_directory(int directory)
{
    // A description of its own: reading must not move the offset of the caller's.
    int fd = retry([&] { return ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0)
        return system_error(concat("open directory ", descriptor(directory)), errno);
    DIR* stream = ::fdopendir(fd);
    if (!stream) {
        int code = errno;
        ::close(fd);
        return system_error("fdopendir", code);
    }
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream)) {
        std::string_view name = entry->d_name;
        if (name != "." && name != "..")
            names.emplace_back(name);
        errno = 0;
    }
    int code = errno;
    ::closedir(stream);
    if (code != 0)
        return system_error("read directory", code);
    return names;
}

Result<void> lock_exclusive(int fd)
{
    if (retry([&] { return ::flock(fd, LOCK_EX); }) < 0)
        return system_error(concat("lock ", descriptor(fd)), errno);
    return {};
}

namespace {

Result<bool> try_lock(int fd, int kind)
{
    if (retry([&] { return ::flock(fd, kind | LOCK_NB); }) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        return false;
    return system_error(concat("lock ", descriptor(fd)), errno);
}

}  // namespace

Result<bool> try_lock_exclusive(int fd) { return try_lock(fd, LOCK_EX); }
Result<bool> try_lock_shared(int fd) { return try_lock(fd, LOCK_SH); }

// --- whole files -------------------------------------------------------------------------------

Result<std::string> read_file(const std::string& path, std::size_t limit)
{
    auto fd = TRY(open(path, O_RDONLY));
    auto content = read_fd(fd.get(), limit);
    if (!content)
        return content.take_error().in(path);
    return content;
}

Result<std::string> read_fd(int fd, std::size_t limit)
{
    // The size is a first guess only: /proc and pipes answer 0, and files grow.
    struct stat status = TRY(fstat(fd));
    std::size_t guess = status.st_size > 0 ? static_cast<std::size_t>(status.st_size) : 4096;
    std::string content;
    std::size_t used = 0;
    for (;;) {
        if (used > limit)
            return permanent(concat("larger than ", limit, " bytes"));
        if (used == content.size())
            content.resize(used == 0 ? std::min(guess, limit) + 1 : std::min(used * 2, limit + 1));
        std::size_t got = TRY(read(fd, std::span(content).subspan(used)));
        if (got == 0)
            break;
        used += got;
    }
    content.resize(used);
    return content;
}

namespace {

Result<void> write_and_rename(int fd, const std::string& temporary_path, const std::string& path,
                              std::string_view content, mode_t mode, const std::optional<Owner>& owner)
{
    TRY(write_all(fd, content));
    if (owner)
        TRY(fchown(fd, owner->uid, owner->gid));
    TRY(fchmod(fd, mode));  // whatever the umask is
    TRY(fsync(fd));
    return rename(temporary_path, path);
}

}  // namespace

Result<void> replace_file(const std::string& path, std::string_view content, mode_t mode,
                          const std::optional<Owner>& owner)
{
    // The pid keeps two writers apart; what a dead one of the same pid left is in the way and goes.
    std::string temporary_path = concat(path, ".tmp", ::getpid());
    if (auto gone = unlink(temporary_path); !gone && gone.error().code != ENOENT)
        return gone;
    auto fd = TRY(open(temporary_path, O_WRONLY | O_CREAT | O_EXCL, 0600));
    if (auto written = write_and_rename(fd.get(), temporary_path, path, content, mode, owner); !written) {
        (void)unlink(temporary_path);  // litter is the smaller trouble
        return written;
    }
    std::size_t slash = path.rfind('/');
    return sync_directory(slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash));
}

}  // namespace util::sys
