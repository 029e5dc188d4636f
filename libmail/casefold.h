// Comparison of text without regard to case, for IMAP SEARCH and SORT: simple case folding of all
// of Unicode, in the spirit of i;unicode-casemap (RFC 5051) but without decomposition.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mail {

std::uint32_t fold_case(std::uint32_t point);

// Valid UTF-8, folded; what is malformed becomes U+FFFD.
std::string fold_case(std::string_view utf8);

// Is `folded_key` (from fold_case) in `text`?  The empty key is in every text.
bool contains_folded(std::string_view text, std::string_view folded_key);

}  // namespace mail
