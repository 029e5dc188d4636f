// The log file.
#include "log/file.h"

#include "libutil/log.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace logger {

namespace {

constexpr auto look_interval = std::chrono::seconds(1);

// When the file was begun: its birth, where the file system keeps that.
util::WallTime birth_of(int fd, util::WallTime otherwise)
{
    struct statx status {};
    if (::statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &status) == 0 && (status.stx_mask & STATX_BTIME) != 0)
        return util::from_unix_seconds(status.stx_btime.tv_sec);
    return otherwise;
}

std::pair<std::string, std::string> directory_and_name(const std::string& path)
{
    std::size_t slash = path.rfind('/');
    if (slash == std::string::npos)
        return {".", path};
    return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace

util::Result<File> File::open(std::string path, Rotation rotation)
{
    File file(std::move(path), std::move(rotation));
    TRY(file.reopen());
    return file;
}

util::Result<void> File::reopen()
{
    auto fresh = util::sys::open(path_, O_WRONLY | O_APPEND | O_CREAT, 0640);
    if (!fresh && util::sys::is_descriptor_shortage(fresh.error().code)) {
        fd_.reset();   // the one descriptor is enough
        fresh = util::sys::open(path_, O_WRONLY | O_APPEND | O_CREAT, 0640);
    }
    fd_ = TRY(std::move(fresh));
    struct stat status = TRY(util::sys::fstat(fd_.get()));
    size_ = static_cast<std::uint64_t>(status.st_size);
    begun_ = birth_of(fd_.get(), util::wall_now());
    return {};
}

bool File::is_still_there() const
{
    auto named = util::sys::stat(path_);
    auto open = util::sys::fstat(fd_.get());
    return named && open && named->st_ino == open->st_ino && named->st_dev == open->st_dev;
}

void File::append(std::string_view lines, std::size_t count, util::WallTime time)
{
    if (time >= next_look_) {
        next_look_ = time + look_interval;
        if (!fd_.valid() || !is_still_there()) {
            if (auto opened = reopen(); !opened)
                fd_.reset();
        }
    }
    bool too_large = rotation_.size > 0 && size_ > 0 && size_ + lines.size() > rotation_.size;
    bool too_old = rotation_.age > util::Duration::zero() && size_ > 0 && time - begun_ >= rotation_.age;
    if (fd_.valid() && (too_large || too_old))
        rotate(time);
    if (!fd_.valid()) {
        lost_ += count;
        return;
    }
    if (!util::sys::write_all(fd_.get(), torn_ ? util::concat("\n", lines) : lines))
        return note_failure(lines, count);
    size_ += lines.size() + (torn_ ? 1 : 0);
    torn_ = false;
    if (lost_ > 0) {
        // Comes back to us as a line of the next batch.
        util::log::warning(path_, ": ", lost_, " lines were lost: writing failed");
        lost_ = 0;
    }
}

// A full disk may have taken a part.
void File::note_failure(std::string_view lines, std::size_t count)
{
    auto status = util::sys::fstat(fd_.get());
    auto end = status ? static_cast<std::uint64_t>(status->st_size) : size_;
    std::uint64_t added = end >= size_ && end - size_ <= lines.size() + 1 ? end - size_ : 0;
    size_ = end;
    if (added == 0) {
        lost_ += count;
        return;
    }
    std::string_view written = lines.substr(0, added - (torn_ ? 1 : 0));
    lost_ += count - std::min(count, static_cast<std::size_t>(std::ranges::count(written, '\n')));
    torn_ = !written.empty() && !written.ends_with('\n');
}

void File::rotate(util::WallTime time)
{
    std::time_t seconds = util::unix_seconds(time);
    std::tm local{};
    ::localtime_r(&seconds, &local);
    char suffix[256];
    std::size_t length = std::strftime(suffix, sizeof suffix, rotation_.suffix.c_str(), &local);
    std::string target = util::concat(path_, ".", std::string_view(suffix, length));
    // Twice in one second: the second piece gets a number, which sorts behind the first.
    for (int number = 1; length > 0 && util::sys::lstat(target).ok() && number < 1000; ++number)
        target = util::concat(path_, ".", std::string_view(suffix, length), "-", number);
    if (length == 0)
        target = util::concat(path_, ".", seconds);
    auto renamed = util::sys::rename(path_, target);
    auto opened = renamed ? reopen() : renamed;
    if (!opened) {
        util::log::warning("cannot begin a new log file: ", opened.error().text);
        rotation_.size = 0;  // once is enough to complain
        rotation_.age = util::Duration::zero();
        return;
    }
    begun_ = time;
    remove_old();
}

void File::remove_old() const
{
    auto [directory, name] = directory_and_name(path_);
    auto fd = util::sys::open(directory, O_RDONLY | O_DIRECTORY);
    auto names = fd ? util::sys::list_directory(fd->get()) : util::Result<std::vector<std::string>>(fd.take_error());
    if (!names) {
        util::log::warning("old log files: ", names.error().text);
        return;
    }
    std::string start = name + ".";
    std::erase_if(*names, [&](const std::string& candidate) {
        return !candidate.starts_with(start) || candidate.size() == start.size() || !util::is_digit(candidate[start.size()]);
    });
    std::ranges::sort(*names);
    while (names->size() > rotation_.keep) {
        if (auto gone = util::sys::unlink(util::concat(directory, "/", names->front())); !gone)
            util::log::warning("old log files: ", gone.error().text);
        names->erase(names->begin());
    }
}

}  // namespace logger
