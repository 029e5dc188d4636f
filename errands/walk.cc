// The way to a file, one name after the other.
#include "errands/walk.h"

#include "libutil/text.h"

#include <cerrno>
#include <climits>
#include <deque>
#include <fcntl.h>
#include <unistd.h>

namespace errands {

using util::concat;
using util::Result;

namespace {

Result<util::UniqueFd> step_to(int from, const std::string& name)
{
    util::UniqueFd next(::openat(from, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!next.valid())
        return util::system_error(name, errno);
    return next;
}

void put_in_front(std::deque<std::string>& names, std::string_view path)
{
    auto words = util::split_words(path, "/");
    names.insert(names.begin(), words.begin(), words.end());
}

Result<std::string> target_of(int link)
{
    char target[PATH_MAX];
    ssize_t size = ::readlinkat(link, "", target, sizeof target);
    if (size < 0 || size == PATH_MAX)
        return util::system_error("readlink", size < 0 ? errno : ENAMETOOLONG);
    return std::string(target, std::size_t(size));
}

}  // namespace

Result<Named> find_named(const std::string& path)
{
    if (!path.starts_with('/'))
        return util::permanent(concat(path, ": a path begins with /"));
    std::deque<std::string> names;
    put_in_front(names, path);
    Named at{TRY(step_to(AT_FDCWD, "/")), {}};
    int links = 0;
    while (!names.empty()) {
        std::string name = std::move(names.front());
        names.pop_front();
        auto step = step_to(at.file.get(), name);
        if (!step.ok())
            return step.take_error().in(path);
        util::UniqueFd next = step.take();
        if (::fstat(next.get(), &at.status) < 0)
            return util::system_error(path, errno);
        if (!S_ISLNK(at.status.st_mode)) {
            at.file = std::move(next);
            continue;
        }
        if (at.status.st_uid != 0 && at.status.st_uid != ::geteuid())
            return util::permanent(concat(path, ": ", name, " is a symbolic link of uid ", at.status.st_uid));
        if (++links > max_links)
            return util::permanent(concat(path, ": too many symbolic links"));
        std::string target = TRY(target_of(next.get()));
        if (target.starts_with('/'))
            at.file = TRY(step_to(AT_FDCWD, "/"));
        put_in_front(names, target);
    }
    if (::fstat(at.file.get(), &at.status) < 0)
        return util::system_error(path, errno);
    return at;
}

}  // namespace errands
