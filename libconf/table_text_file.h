// What tables share that read a text file at first use, and again when it was replaced.
#pragma once

#include "libconf/problems.h"
#include "libconf/table.h"
#include "libconf/watched_file.h"

namespace conf {

// All lines are held in memory: this many take some hundred megabytes.  An index has no such limit.
constexpr std::size_t max_text_lines = 1'000'000;

class TextFileTable : public Table {
public:
    TextFileTable(std::string name, std::string path) : Table(std::move(name)), file_(std::move(path)) {}

    util::Result<void> check() override;
    void refresh() override { file_.look_now(); }
    util::Result<std::optional<uid_t>> owner() const override { return file_.owner(); }

protected:
    // Takes new content, and lets go of the old only when there were no problems.
    virtual void load(std::string_view text, std::string_view file, Problems& problems) = 0;
    // Call before each lookup.  Temporary while there is no good content.
    util::Result<void> update();

private:
    WatchedFile file_;
    bool loaded_ = false;
    std::string fault_;  // of the text that could not be taken
};

}  // namespace conf
