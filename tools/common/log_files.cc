// The mail log as files.
#include "tools/common/log_files.h"

#include "libutil/sys.h"
#include "libutil/text.h"
#include "tools/common/log_line.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tools {

namespace {

constexpr std::size_t block_size = 1U << 20;

std::pair<std::string, std::string> directory_and_name(const std::string& path)
{
    std::size_t slash = path.rfind('/');
    if (slash == std::string::npos)
        return {".", path};
    return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

// Of the first line that has a time; 0 when there is none.
util::Result<std::int64_t> time_of_file(const std::string& path)
{
    std::int64_t time = 0;
    std::string storage;
    LogLine parsed;
    std::size_t tries = 100;
    TRY(read_log_file(path, [&](std::string_view line) {
        if (parse_log_line(line, parsed, storage))
            time = parse_log_time(parsed.time).value_or(0);
        return time == 0 && --tries > 0;
    }));
    return time;
}

}  // namespace

util::Result<std::vector<std::string>> find_log_files(const std::string& path, std::vector<std::string>& skipped)
{
    auto [directory, name] = directory_and_name(path);
    auto fd = TRY(util::sys::open(directory, O_RDONLY | O_DIRECTORY));
    std::string start = name + ".";
    std::vector<std::pair<std::int64_t, std::string>> found;
    for (const std::string& candidate : TRY(util::sys::list_directory(fd.get()))) {
        if (!candidate.starts_with(start) || candidate.size() == start.size() || !util::is_digit(candidate[start.size()]))
            continue;
        std::string whole = util::concat(directory, '/', candidate);
        std::string_view ending = std::string_view(candidate).substr(candidate.rfind('.'));
        if (ending == ".gz" || ending == ".xz" || ending == ".zst" || ending == ".bz2") {
            skipped.push_back(whole);
            continue;
        }
        found.emplace_back(TRY(time_of_file(whole)), whole);
    }
    std::sort(found.begin(), found.end());
    std::vector<std::string> files;
    for (auto& item : found)
        files.push_back(std::move(item.second));
    if (auto status = util::sys::stat(path); status)
        files.push_back(path);
    else if (files.empty())
        return status.take_error();
    return files;
}

util::Result<void> read_log_file(const std::string& path, const LineSink& sink)
{
    auto file = TRY(util::sys::open(path, O_RDONLY));
    std::string buffer(block_size, '\0');
    std::size_t filled = 0;
    for (;;) {
        if (filled == buffer.size())
            filled = 0;  // a line without end: its beginning is dropped
        std::size_t got = TRY(util::sys::read(file.get(), std::span(buffer).subspan(filled)));
        if (got == 0) {
            if (filled > 0)
                (void)sink(std::string_view(buffer.data(), filled));
            return {};
        }
        filled += got;
        std::size_t start = 0;
        while (const void* end = std::memchr(buffer.data() + start, '\n', filled - start)) {
            auto length = static_cast<std::size_t>(static_cast<const char*>(end) - buffer.data()) - start;
            if (!sink(std::string_view(buffer.data() + start, length)))
                return {};
            start += length + 1;
        }
        std::memmove(buffer.data(), buffer.data() + start, filled - start);
        filled -= start;
    }
}

util::Result<LogFollower> LogFollower::open(std::string path, std::size_t lines)
{
    LogFollower follower(std::move(path));
    follower.fd_ = TRY(util::sys::open(follower.path_, O_RDONLY));
    struct stat status = TRY(util::sys::fstat(follower.fd_.get()));
    // Backwards by blocks, until as many ends of lines were seen.
    std::uint64_t at = static_cast<std::uint64_t>(status.st_size);
    follower.offset_ = at;
    std::size_t seen = 0;
    std::string block(64 * 1024, '\0');
    while (at > 0 && seen <= lines) {
        std::uint64_t from = at > block.size() ? at - block.size() : 0;
        std::size_t got = TRY(util::sys::pread(follower.fd_.get(), std::span(block).first(at - from), from));
        if (got < at - from)
            break;
        for (std::size_t i = got; i-- > 0 && seen <= lines;) {
            // The end of the last line is not between two lines.
            if (block[i] == '\n' && from + i + 1 != static_cast<std::uint64_t>(status.st_size) && ++seen == lines)
                follower.offset_ = from + i + 1;
        }
        at = from;
    }
    if (seen < lines)
        follower.offset_ = 0;
    return follower;
}

// True: something came.
util::Result<bool> LogFollower::read_rest(const std::function<void(std::string_view line)>& sink)
{
    char buffer[64 * 1024];
    std::size_t got = TRY(util::sys::pread(fd_.get(), buffer, offset_));
    offset_ += got;
    std::string_view bytes(buffer, got);
    while (!bytes.empty()) {
        std::size_t end = bytes.find('\n');
        partial_ += bytes.substr(0, end);
        if (partial_.size() > max_log_line)
            partial_.resize(max_log_line);
        if (end == std::string_view::npos)
            break;
        sink(partial_);
        partial_.clear();
        bytes.remove_prefix(end + 1);
    }
    return got > 0;
}

util::Result<void> LogFollower::read(const std::function<void(std::string_view line)>& sink)
{
    for (;;) {
        if (fd_.valid()) {
            while (TRY(read_rest(sink)))
                continue;
            struct stat open = TRY(util::sys::fstat(fd_.get()));
            if (static_cast<std::uint64_t>(open.st_size) < offset_)
                offset_ = 0;  // cut off where it stands
            auto named = util::sys::stat(path_);
            if (!named || (named->st_ino == open.st_ino && named->st_dev == open.st_dev))
                return {};
            // Renamed: what came between the last read and that is read before the next one is begun.
            while (TRY(read_rest(sink)))
                continue;
        }
        auto next = util::sys::open(path_, O_RDONLY);
        if (!next)
            return next.error().kind == util::Kind::NotFound ? util::Result<void>() : util::Result<void>(next.take_error());
        fd_ = next.take();
        offset_ = 0;
        partial_.clear();
    }
}

}  // namespace tools
