// Making and checking a user's directory, one path component at a time.
#include "usher/home.h"

#include "libutil/sys.h"
#include "libutil/text.h"

#include <cerrno>
#include <fcntl.h>

namespace usher {

namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

util::Result<void> check_owner(int fd, const std::string& path, uid_t uid)
{
    struct stat status = TRY(util::sys::fstat(fd));
    if (status.st_uid != uid)
        return util::permanent(util::concat(path, " belongs to uid ", status.st_uid, " instead of ", uid));
    return {};
}

// Opens the directory `name` in `parent`, making it with `mode` if it is not there.
util::Result<util::UniqueFd> enter(int parent, const std::string& name, mode_t mode, bool& made)
{
    auto opened = util::sys::openat(parent, name, directory_flags);
    made = false;
    if (opened.ok() || opened.error().code != ENOENT)
        return opened;
    auto result = util::sys::mkdirat(parent, name, mode);
    if (!result.ok() && result.error().code != EEXIST)
        return result.take_error();
    made = result.ok();
    return util::sys::openat(parent, name, directory_flags);
}

// An empty directory of usher's own is one that was just made, or that a crash left half made.
util::Result<void> give(int fd, uid_t uid, gid_t gid)
{
    struct stat status = TRY(util::sys::fstat(fd));
    if (status.st_uid != ::geteuid() || status.st_uid == uid)
        return {};
    auto names = TRY(util::sys::list_directory(fd));
    if (!names.empty())
        return {};
    return util::sys::fchown(fd, uid, gid);
}

}  // namespace

util::Result<void> prepare_root(const std::string& root)
{
    auto made = util::sys::mkdir(root, 0711);
    if (made.ok())
        return util::sys::chmod(root, 0711);   // whatever the umask says
    if (made.error().code != EEXIST)
        return made.take_error();
    return {};
}

util::Result<void> prepare_home(const std::string& root, const std::string& home, uid_t uid, gid_t gid,
                                bool own_uid)
{
    if (home.empty() || home.front() != '/' || home.find('\0') != std::string::npos)
        return util::permanent("the account's home is not an absolute path");
    std::string_view inside = home;
    if (!inside.starts_with(root) || inside.size() <= root.size() || inside[root.size()] != '/')
        return util::permanent(util::concat("the account's home ", home, " is not below mail_store_directory"));
    inside.remove_prefix(root.size() + 1);

    TRY(prepare_root(root));
    util::UniqueFd directory = TRY(util::sys::open(root, directory_flags));
    std::vector<std::string_view> levels;
    for (std::string_view level : util::split(inside, '/')) {
        if (level == "." || level == "..")
            return util::permanent("the account's home has a . or .. in it");
        if (!level.empty())
            levels.push_back(level);
    }
    if (levels.empty())
        return util::permanent("the account's home is mail_store_directory itself");
    for (std::size_t i = 0; i < levels.size(); ++i) {
        bool last = i + 1 == levels.size();
        bool made = false;
        util::UniqueFd next = TRY(enter(directory.get(), std::string(levels[i]), last ? 0700 : 0711, made));
        if (made)
            TRY(util::sys::fchmod(next.get(), last ? 0700 : 0711));  // whatever the umask says
        directory = std::move(next);
    }
    if (!own_uid)
        TRY(give(directory.get(), uid, gid));
    return check_owner(directory.get(), home, uid);
}

}  // namespace usher
