// Appending under locks; maildirs.
#include "errands/mailbox_file.h"

#include "libutil/log.h"
#include "libutil/sys.h"

#include <cerrno>
#include <charconv>
#include <ctime>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace errands {

using util::concat;
using util::Result;

namespace {

void pause(util::Duration time)
{
    timespec wanted{.tv_sec = time.count() / 1'000'000, .tv_nsec = (time.count() % 1'000'000) * 1000};
    ::nanosleep(&wanted, nullptr);
}

// PATH.lock, for as long as it lives.
class DotLock {
public:
    static Result<DotLock> take(const std::string& path, const FileRules& rules)
    {
        std::string name = concat(path, ".lock");
        for (unsigned attempt = 1;; ++attempt) {
            auto made = util::sys::open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
            if (made.ok())
                return DotLock(std::move(name));
            int code = made.error().code;
            if (code != EEXIST) {
                if (rules.dot_lock_may_fail && (code == EACCES || code == EROFS || code == EPERM))
                    return DotLock({});
                return util::temporary(concat("unable to create lock file ", name, ": ", made.error().text));
            }
            auto status = util::sys::lstat(name);
            bool stale = status.ok() && status->st_mtime + rules.stale.count() / 1'000'000 < std::time(nullptr);
            if (stale && util::sys::unlink(name).ok()) {
                util::log::warning("removed the lock file ", name, ", which is older than stale_lock_time");
                continue;
            }
            if (attempt >= rules.attempts)
                return util::temporary(concat("unable to lock ", path, ": ", name, " is there"));
            pause(rules.delay);
        }
    }
    DotLock(DotLock&& other) noexcept : name_(std::exchange(other.name_, {})) {}
    DotLock& operator=(DotLock&&) = delete;
    ~DotLock()
    {
        if (!name_.empty())
            (void)util::sys::unlink(name_);
    }

private:
    explicit DotLock(std::string name) : name_(std::move(name)) {}
    std::string name_;
};

Result<void> lock_file(int fd, const std::string& path, const FileRules& rules)
{
    for (unsigned attempt = 1;; ++attempt) {
        struct flock whole{};
        whole.l_type = F_WRLCK;
        whole.l_whence = SEEK_SET;
        bool locked = (!rules.fcntl_lock || ::fcntl(fd, F_SETLK, &whole) == 0) &&
                      (!rules.flock_lock || ::flock(fd, LOCK_EX | LOCK_NB) == 0);
        if (locked)
            return {};
        int error = errno;
        if (error != EAGAIN && error != EACCES && error != EWOULDBLOCK)
            return util::system_error(concat("lock ", path), error);
        if (attempt >= rules.attempts)
            return util::temporary(concat("unable to lock ", path, ": it is in use"));
        pause(rules.delay);
    }
}

// O_NOFOLLOW where it is made: a link that somebody has put there would be followed with these rights.
Result<util::UniqueFd> open_target(const std::string& path)
{
    for (int attempt = 0; attempt < 3; ++attempt) {
        auto present = util::sys::open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
        if (present.ok() || present.error().code != ENOENT)
            return present;
        auto made = util::sys::open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
        if (made.ok() || made.error().code != EEXIST)
            return made;
    }
    return util::temporary(concat(path, ": it comes and goes"));
}

util::Error for_delivery(util::Error error, std::string_view what)
{
    // Space, quota, a server that is away: later.  So too rights, which somebody will mend.
    error.text = concat(what, ": ", error.text);
    return error.code == EFBIG ? std::move(error) : util::temporary(std::move(error.text));
}

std::int64_t now_seconds() { return util::unix_seconds(util::wall_now()); }

Result<void> write_to(int fd, const ipc::RunEntry& order, LetterForm form)
{
    return write_letter(order, form, now_seconds(), [&](std::string_view piece) { return util::sys::write_all(fd, piece); });
}

Result<void> append_regular(int fd, const std::string& path, const ipc::RunEntry& order, const FileRules& rules,
                            LetterForm form)
{
    TRY(lock_file(fd, path, rules));
    struct stat status = TRY(util::sys::fstat(fd));
    if (rules.owner && status.st_uid != *rules.owner)
        return util::temporary(concat("destination ", path, " is not owned by recipient"));
    if (status.st_nlink != 1)
        return util::temporary(concat(path, " has ", status.st_nlink, " names"));
    std::uint64_t before = std::uint64_t(status.st_size);
    if (rules.size_limit > 0 && before + order.size > rules.size_limit)
        return util::Error{util::Kind::Permanent, concat("cannot append message to file ", path, ": File too large"), EFBIG};
    auto written = write_to(fd, order, form);
    if (written.ok())
        written = util::sys::fsync(fd);
    if (written.ok())
        return {};
    if (auto cut = util::sys::ftruncate(fd, before); !cut.ok())
        util::log::warning(path, " holds part of a message: ", cut.error().text);
    return for_delivery(written.take_error(), concat("cannot append message to file ", path));
}

}  // namespace

Result<void> append_to_file(const std::string& path, const ipc::RunEntry& order, const FileRules& rules)
{
    LetterForm form{.from_line = true, .mailbox_file = true, .delivered_to = rules.delivered_to};
    auto lstatus = util::sys::lstat(path);
    bool regular = !lstatus.ok() || S_ISREG(lstatus->st_mode);
    if (lstatus.ok() && S_ISLNK(lstatus->st_mode))
        return util::temporary(concat("cannot open file ", path, ": it is a symbolic link"));
    if (lstatus.ok() && S_ISDIR(lstatus->st_mode))
        return util::Error{util::Kind::Permanent, concat("cannot append message to file ", path, ": Is a directory"), EISDIR};
    // Devices are root's; a fifo may be of somebody who wants to read.
    if (!regular && rules.owner && !S_ISCHR(lstatus->st_mode))
        return util::temporary(concat("cannot append message to file ", path, ": it is not a regular file"));
    if (!regular) {
        auto device = util::sys::open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
        if (!device.ok())
            return for_delivery(device.take_error(), concat("cannot open file ", path));
        auto written = write_to(device->get(), order, form);
        return written.ok() ? Result<void>() : Result<void>(for_delivery(written.take_error(), path));
    }
    std::optional<DotLock> lock;
    if (rules.dot_lock)
        lock.emplace(TRY(DotLock::take(path, rules)));
    auto file = open_target(path);
    if (!file.ok())
        return for_delivery(file.take_error(), concat("cannot open mailbox ", path));
    return append_regular(file->get(), path, order, rules, form);
}

namespace {

std::string hexadecimal(std::uint64_t number)
{
    char digits[16];
    auto end = std::to_chars(digits, digits + sizeof digits, number, 16);
    return std::string(digits, end.ptr);
}

Result<void> make_directory(const std::string& path)
{
    auto made = util::sys::mkdir(path, 0700);
    return made.ok() || made.error().code == EEXIST ? Result<void>() : made;
}

Result<void> prepare_maildir(const std::string& path)
{
    TRY(make_directory(path));
    for (const char* part : {"/tmp", "/new", "/cur"})
        TRY(make_directory(path + part));
    return {};
}

}  // namespace

Result<void> put_into_maildir(const std::string& given, const ipc::RunEntry& order, const FileRules& rules,
                              std::string_view hostname)
{
    std::string path = given;
    while (path.size() > 1 && path.back() == '/')
        path.pop_back();
    auto fail = [&](util::Error error) { return for_delivery(std::move(error), concat("cannot deliver to maildir ", path)); };
    util::WallTime now = util::wall_now();
    std::int64_t seconds = util::unix_seconds(now), part = now.time_since_epoch().count() % 1'000'000;
    std::string temporary = concat(path, "/tmp/", seconds, ".P", ::getpid(), "M", part, ".", hostname);
    auto open_it = [&] { return util::sys::open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600); };
    auto file = open_it();
    if (!file.ok() && file.error().code == ENOENT) {
        if (auto made = prepare_maildir(path); !made.ok())
            return fail(made.take_error());
        file = open_it();
    }
    if (!file.ok())
        return fail(file.take_error());
    auto is_owners = [&](std::string_view place) {
        auto status = util::sys::lstat(concat(path, place));
        return !rules.owner || (status.ok() && S_ISDIR(status->st_mode) && status->st_uid == *rules.owner);
    };
    if (!is_owners("") || !is_owners("/tmp") || !is_owners("/new")) {
        (void)util::sys::unlink(temporary);
        return fail(util::temporary("it belongs to another user (strict_mailbox_ownership)"));
    }
    auto written =
        write_to(file->get(), order, {.from_line = false, .mailbox_file = false, .delivered_to = rules.delivered_to});
    if (written.ok())
        written = util::sys::fsync(file->get());
    std::string final_name;
    if (written.ok()) {
        auto status = util::sys::fstat(file->get());
        if (status.ok())
            final_name = concat(path, "/new/", seconds, ".V", hexadecimal(status->st_dev), "I",
                                hexadecimal(status->st_ino), "M", part, ".", hostname);
        written = status.ok() ? util::sys::link(temporary, final_name) : Result<void>(status.take_error());
    }
    (void)util::sys::unlink(temporary);
    if (!written.ok())
        return fail(written.take_error());
    if (auto synced = util::sys::sync_directory(path + "/new"); !synced.ok())
        return fail(synced.take_error());
    return {};
}

}  // namespace errands
