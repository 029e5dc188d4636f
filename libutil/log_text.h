// What stands in the text of a log line: "QUEUEID: key=value, key=value (why)", in Postfix's order.
// For who writes the log and for who reads it; all views are into the text.
#pragma once

#include <string_view>
#include <utility>

namespace util::log {

// The queue id that the text begins with: 6 to 40 letters and digits, one of them a digit, before ": ".
// Empty when it begins otherwise.
std::string_view leading_queue_id(std::string_view text);

// The "key=value" at the beginning of `rest`, which moves behind it; nothing when there is none.  A key is
// lower-case letters, digits, _ and -; a value ends before ", key=".
std::pair<std::string_view, std::string_view> next_pair(std::string_view& rest);

}  // namespace util::log
