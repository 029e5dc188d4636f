// Text of mail in UTF-8: for search, previews and decoded header fields.
//
// Known: utf-8, us-ascii, iso-8859-1 to -16, windows-1250 to -1258, windows-874, koi8-r, koi8-u,
// macintosh, ibm437, ibm850, ibm852, ibm866, tis-620, utf-16 (le, be, with mark), utf-7; by their usual names in any case.  Tables are data made by
// libmail/charset_tables.py.
#pragma once

#include <string>
#include <string_view>

namespace mail {

// Is it one of those?
bool is_known_charset(std::string_view charset);

// `bytes` in UTF-8; what is malformed becomes U+FFFD.  An unknown charset and us-ascii are taken
// for UTF-8 where they are valid UTF-8, else for windows-1252, as readers do.
std::string to_utf8(std::string_view bytes, std::string_view charset);

}  // namespace mail
