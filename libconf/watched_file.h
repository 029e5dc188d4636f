// Notices that a file was replaced, at the cost of one stat(2) a second.
#pragma once

#include "libutil/result.h"
#include "libutil/time.h"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace conf {

class WatchedFile {
public:
    explicit WatchedFile(std::string path) : path_(std::move(path)) {}

    const std::string& path() const { return path_; }
    // Is it another file than at the last call that answered yes, or changed since?  At most once a
    // second it looks; in between the answer is no.  An error (NotFound and others) is told at once
    // and again at the next call.
    util::Result<bool> changed();
    // Whose it is now.
    util::Result<std::optional<uid_t>> owner() const;
    // Makes the next call look, though a second has not passed.
    void look_now() { looked_ = util::Instant::min(); }
    // Makes the next call look, and answer yes.
    void forget() { inode_ = 0, looked_ = util::Instant::min(); }

private:
    std::string path_;
    util::Instant looked_ = util::Instant::min();
    dev_t device_ = 0;
    ino_t inode_ = 0;
    std::int64_t size_ = 0;
    std::int64_t modified_ = 0;  // nanoseconds
};

}  // namespace conf
