// Content-Transfer-Encodings (RFC 2045 §6.7 and §6.8) and the encodings of IMAP mailbox names
// (RFC 3501 §5.1.3).
#pragma once

#include "libutil/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace mail {

constexpr std::size_t no_limit = SIZE_MAX;

// Decodes what mail calls base64: bytes outside the alphabet are passed over, padding may be missing
// or stand in the middle.  At most `limit` bytes of output.
std::string decode_base64_lenient(std::string_view text, std::size_t limit = no_limit);
// Lines of 76 characters, each ended by CRLF.
std::string encode_base64_lines(std::string_view bytes);

// Soft line breaks joined, blanks at line ends dropped, an '=' that begins nothing stays.  Line
// ends stay as they are.  At most `limit` bytes of output.
std::string decode_quoted_printable(std::string_view text, std::size_t limit = no_limit);
// Lines of at most 76 characters; CRLF and bare LF of the text become CRLF, a bare CR is encoded.
std::string encode_quoted_printable(std::string_view text);

// Modified UTF-7 of mailbox names.  Decoding is strict: what is not in its one canonical form is
// Invalid (bits left over, printable ASCII in base64, two shifts in a row, lone surrogates), so
// that a mailbox never has two names.
std::string encode_modified_utf7(std::string_view utf8);
util::Result<std::string> decode_modified_utf7(std::string_view text);

// Appends a code point (up to U+10FFFF, no surrogate; else U+FFFD) in UTF-8.
void append_utf8(std::string& out, std::uint32_t point);
// The code point at text[at]; moves `at` behind it, by one byte for one that is malformed, which
// counts as U+FFFD.
std::uint32_t next_code_point(std::string_view text, std::size_t& at);

}  // namespace mail
