// The mail log as files: the one that is written to, and those that were renamed when it was begun anew.
#pragma once

#include "libutil/result.h"
#include "libutil/unique_fd.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tools {

// `path` and the files beside it whose name goes on with ".DIGIT" (log(8), logrotate(8)), the oldest first, by
// the time of their first lines.  Compressed ones are left out, and named in `skipped`.
util::Result<std::vector<std::string>> find_log_files(const std::string& path, std::vector<std::string>& skipped);

// Calls back for each line of a file, without its end, in blocks of bounded size: of a line that is longer than
// a block the beginning is left out.  The callback answers false to stop.
using LineSink = std::function<bool(std::string_view line)>;
util::Result<void> read_log_file(const std::string& path, const LineSink& sink);

// A log that grows, and is renamed and begun anew.
class LogFollower {
public:
    // Opens the file with its last `lines` lines still to be read.
    static util::Result<LogFollower> open(std::string path, std::size_t lines);

    // Passes on the whole lines that have come since.
    util::Result<void> read(const std::function<void(std::string_view line)>& sink);

private:
    explicit LogFollower(std::string path) : path_(std::move(path)) {}
    util::Result<bool> read_rest(const std::function<void(std::string_view line)>& sink);

    std::string path_;
    util::UniqueFd fd_;
    std::uint64_t offset_ = 0;
    std::string partial_;
};

}  // namespace tools
