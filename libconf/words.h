// Lists in main.cf and master.cf: words between white space and commas.
#pragma once

#include "libutil/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace conf {

constexpr std::string_view list_separators = ", \t\r\n";
constexpr std::string_view blank_separators = " \t\r\n";

// The words of a list.  "{ a, b }" is one word: white space and commas between balanced braces do
// not separate.  The braces around a whole word, and blanks inside them, are removed when
// `strip_braces`.  Invalid: a brace without its other one, or text right after a closing brace.
util::Result<std::vector<std::string>> parse_words(std::string_view text,
                                                   std::string_view separators = list_separators,
                                                   bool strip_braces = false);

}  // namespace conf
