// Matching of mailbox names by LIST patterns: RFC 3501 §6.3.8.
#pragma once

#include <string_view>

namespace imapd::engine {

constexpr std::size_t max_list_patterns = 100;
constexpr std::size_t max_pattern_length = 2000;

// `*` stands for anything, `%` for anything within one level.  INBOX as the first level matches
// without regard to case.  Time is bounded by the product of the lengths.
bool matches_pattern(std::string_view name, std::string_view pattern);

}  // namespace imapd::engine
