// Notices that a file was replaced.
#include "libconf/watched_file.h"

#include "libutil/sys.h"
#include "libutil/text.h"

#include <sys/stat.h>

namespace conf {

util::Result<bool> WatchedFile::changed()
{
    util::Instant now = util::now();
    if (looked_ != util::Instant::min() && now - looked_ < std::chrono::seconds(1))
        return false;
    auto status = util::sys::stat(path_);
    if (!status) {
        forget();
        return status.take_error();
    }
    // Opening a pipe waits for somebody to write into it; devices never end.
    if (!S_ISREG(status->st_mode) && path_ != "/dev/null") {
        forget();
        return util::temporary(util::concat(path_, ": not a plain file"));
    }
    looked_ = now;
    std::int64_t modified =
        status->st_mtim.tv_sec * std::int64_t(1'000'000'000) + status->st_mtim.tv_nsec;
    if (inode_ == status->st_ino && device_ == status->st_dev && size_ == status->st_size &&
        modified_ == modified)
        return false;
    device_ = status->st_dev;
    inode_ = status->st_ino;
    size_ = status->st_size;
    modified_ = modified;
    return true;
}

util::Result<std::optional<uid_t>> WatchedFile::owner() const
{
    struct stat status = TRY(util::sys::stat(path_));
    return std::optional<uid_t>(status.st_uid);
}

}  // namespace conf
