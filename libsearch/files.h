// The directory "index" of a store, and what happens to files in it.
//
// Nothing is synced.  A segment gets its name when it is whole; a start removes what has another one.
#pragma once

#include "libsearch/feeder.h"
#include "libutil/unique_fd.h"

#include <string>

namespace search {

class Files {
public:
    // Makes the directory if it is missing.
    static util::Result<Files> open(const std::string& store_directory);

    int directory() const { return directory_.get(); }
    // The index there is.  What is of no use is removed.
    util::Result<std::unique_ptr<Index>> read() const;
    // An empty file for feed().
    util::Result<util::UniqueFd> begin() const;
    void drop_unfinished() const;
    // The file gets its name; what it replaces in the index that it was made with goes.
    util::Result<void> adopt(const FeedReport& report, Index& before) const;
    // That the index had all messages when the store's last change was this one.  A hint that saves looking.
    void note_complete(store::Lsn last) const;
    bool was_complete(store::Lsn last) const;
    util::Result<void> remove_all() const;

private:
    Files(std::string path, util::UniqueFd directory) : path_(std::move(path)), directory_(std::move(directory)) {}

    std::string path_;
    util::UniqueFd directory_;
};

}  // namespace search
