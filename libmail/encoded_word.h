// Encoded-words in header fields: RFC 2047, with the language of RFC 2231 §5.
#pragma once

#include <string>
#include <string_view>

namespace mail {

constexpr std::size_t max_decoded_header = 64U << 10;  // bytes of UTF-8; longer values are cut

// A field's value as people read it: unfolded, encoded-words decoded, white space between two of them
// dropped, bytes that are not UTF-8 taken for windows-1252.  Words that are malformed or in an
// unknown charset stay as they are.
std::string decode_header_text(std::string_view value);

// Text as encoded-words in UTF-8, each at most 75 characters and never splitting a code point, with
// a space between; printable ASCII text that cannot be mistaken for one comes back as it is.
std::string encode_header_text(std::string_view utf8);

}  // namespace mail
