// Text of mail in UTF-8: for search, previews and decoded header fields.
//
// Known are the Unicode ones, single-byte charsets and those of East Asia, by their usual names in any case;
// man/imapd.8 lists them.  Tables are data: libmail/charset_tables.py, libmail/wide_tables.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mail {

// Is it one of those?
bool is_known_charset(std::string_view charset);

// Their names in MIME; not those under which some are known besides.
std::vector<std::string_view> charset_names();

// `bytes` in UTF-8; what is malformed becomes U+FFFD.  An unknown charset and us-ascii are taken
// for UTF-8 where they are valid UTF-8, else for windows-1252, as readers do.
std::string to_utf8(std::string_view bytes, std::string_view charset);

}  // namespace mail
