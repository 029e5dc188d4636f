// The lines of main.cf, master.cf and text tables: a line that begins with white space continues
// the one before; empty lines and comment lines do not count, not even in between.
#pragma once

#include "libconf/problems.h"

#include <string>
#include <string_view>
#include <vector>

namespace conf {

struct LogicalLine {
    std::string text;  // without blanks at its ends; continuations joined by one space
    int number = 0;    // of its first physical line; 1 is the first
    int last = 0;      // of its last
};

constexpr std::size_t max_logical_line = 100'000;  // bytes

// Problems: a continuation of nothing, a line over the limit, a NUL byte.  Such lines are left out.
std::vector<LogicalLine> logical_lines(std::string_view text, std::string_view file, Problems& problems);

}  // namespace conf
