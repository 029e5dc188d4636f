// The text that tables are made from: "key value" lines, as postmap(1) reads them.
#pragma once

#include "libconf/problems.h"

#include <functional>
#include <string>
#include <string_view>

namespace conf {

enum class TextForm : unsigned char {
    Map,    // "key value"; a key with blanks stands in double quotes
    Alias,  // "name: value", as aliases(5) has it
};

struct TextEntry {
    std::string key;  // as written
    std::string value;
    int line = 0;
};

// Calls `take` for each entry.  Problems: a line without a value, a key that is too long, quotes
// without their other one.
void read_text_table(std::string_view text, std::string_view file, TextForm form,
                     const std::function<void(TextEntry)>& take, Problems& problems);

}  // namespace conf
