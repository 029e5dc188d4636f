// Drop files: what terndrop(1) leaves in maildrop/ for pickup(8) while nobody else is there.
//
// A file is "tern-drop 1\n", then the records of one submission (libipc/submission.h: Begin, More,
// Content) as netstrings "LENGTH:BYTES,", then "end CRC32C\n" over all before it, in hexadecimal.
// It gets its name when it is whole and synced.  Its owner may still write to it: readers copy, and
// believe nothing.
#pragma once

#include "libutil/crc32c.h"
#include "libutil/result.h"
#include "libutil/sys.h"

#include <functional>
#include <string>
#include <string_view>

namespace queue {

constexpr std::string_view drop_magic = "tern-drop 1\n";

// Writes the form of a drop file to any descriptor: sendmail(1) to the pipe into terndrop(1).
class DropEncoder {
public:
    explicit DropEncoder(int fd) : fd_(fd) {}

    util::Result<void> begin();
    util::Result<void> add(std::string_view record);
    util::Result<void> end();

private:
    util::Result<void> write(std::string_view bytes);

    int fd_;
    std::uint32_t crc_ = 0;
};

// Writes a drop file without a name into `directory`, which the caller may be unable to list.
class DropWriter {
public:
    static util::Result<DropWriter> create(const std::string& directory);

    util::Result<void> add(std::string_view record) { return encoder_.add(record); }
    // Ends the file, syncs it and gives it its name, which is the answer.
    util::Result<std::string> commit();

private:
    explicit DropWriter(std::string directory, util::UniqueFd file)
        : directory_(std::move(directory)), file_(std::move(file)), encoder_(file_.get())
    {
    }

    std::string directory_;
    util::UniqueFd file_;
    DropEncoder encoder_;
};

// Calls `record` for each record of the drop file, in order; it may stop with an error, which is
// then the answer.  Invalid: the file is torn or is no drop file; by then some records may have been
// seen, so a reader makes nothing final before this has answered.
util::Result<void> read_drop(int fd, const std::function<util::Result<void>(std::string_view)>& record);

}  // namespace queue
