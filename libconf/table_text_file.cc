// Text files behind tables.
#include "libconf/table_text_file.h"

#include "libutil/log.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <algorithm>

namespace conf {

using util::concat;

util::Result<void> TextFileTable::update()
{
    auto changed = file_.changed();
    if (!changed) {
        loaded_ = false;
        return util::temporary(concat("table ", name(), ": ", changed.error().text));
    }
    if (*changed) {
        fault_.clear();
        auto text = util::sys::read_file(file_.path(), max_text_table);
        if (!text) {
            file_.forget();
            loaded_ = false;
            return util::temporary(concat("table ", name(), ": ", text.error().text));
        }
        Problems problems;
        if (std::size_t(std::ranges::count(*text, '\n')) > max_text_lines)
            problems.add(file_.path(), 0, concat("more than ", max_text_lines, " lines: make an index of it, hash: or lmdb:"));
        else
            load(*text, file_.path(), problems);
        if (problems.any()) {
            fault_ = problems.result().error().text;
            if (loaded_)
                util::log::warning("table ", name(), ": its old content stays in use: ", fault_);
        } else {
            loaded_ = true;
        }
    }
    if (!loaded_)
        return util::temporary(concat("table ", name(), ": ", fault_));
    return {};
}

util::Result<void> TextFileTable::check()
{
    auto updated = update();
    if (!updated)
        return updated;
    if (!fault_.empty())
        return util::invalid(concat("table ", name(), ": ", fault_));
    return {};
}

}  // namespace conf
