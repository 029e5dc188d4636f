// Comparison of text without regard to case, for IMAP SEARCH, SORT and THREAD: i;unicode-casemap (RFC 5051),
// which takes letters apart, too, so that it does not matter how an accent was typed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mail {


// For equality and search: as the collation prepares it, but with small letters of ASCII, which nearly all
// text has already.  What is malformed becomes U+FFFD.
std::string fold_case(std::string_view utf8);
// For order: bytes compare as RFC 5051 has it.
std::string collation_key(std::string_view utf8);

// Is `folded_key` (from fold_case) in `text`?  The empty key is in every text.
bool contains_folded(std::string_view text, std::string_view folded_key);

}  // namespace mail
