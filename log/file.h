// The log file: appended to, begun anew by size or age, reopened when somebody else renamed it.
#pragma once

#include "libutil/result.h"
#include "libutil/time.h"
#include "libutil/unique_fd.h"

#include <string>

namespace logger {

struct Rotation {
    std::uint64_t size = 0;  // 0: never
    util::Duration age = util::Duration::zero();
    std::string suffix = "%Y%m%d-%H%M%S";
    std::size_t keep = 10;
};

class File {
public:
    static util::Result<File> open(std::string path, Rotation rotation);

    // Appends whole lines with one write.  What cannot be written (a full disk) is lost; the lines are
    // counted, and told in the log once writing works again.
    void append(std::string_view lines, std::size_t count, util::WallTime time);
    std::uint64_t lost() const { return lost_; }

private:
    File(std::string path, Rotation rotation) : path_(std::move(path)), rotation_(std::move(rotation)) {}
    util::Result<void> reopen();
    bool is_still_there() const;
    void rotate(util::WallTime time);
    void remove_old() const;
    void note_failure(std::string_view lines, std::size_t count);

    std::string path_;
    Rotation rotation_;
    util::UniqueFd fd_;
    std::uint64_t size_ = 0;
    util::WallTime begun_{};
    util::WallTime next_look_{};
    std::uint64_t lost_ = 0;
    bool torn_ = false;   // the file ends within a line: the disk took only a part of it
};

}  // namespace logger
