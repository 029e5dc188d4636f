// Mailbox names on the wire: modified UTF-7 (RFC 3501 §5.1.3) to and from UTF-8.
#pragma once

#include "libutil/result.h"

#include <string>
#include <string_view>

namespace imapd::syntax {

// The UTF-8 name behind a name on the wire.  Invalid when it is not canonical modified UTF-7: bytes
// of 128 and above, an open &, base64 for what stands for itself, stray bits, unpaired surrogates,
// control characters.
// INBOX in any case, alone or as the first level, becomes "INBOX".
util::Result<std::string> decode_mailbox_name(std::string_view wire);
// The same for a LIST pattern: `%` and `*` stay; INBOX is left as it is written.
util::Result<std::string> decode_mailbox_pattern(std::string_view wire);

// Appends the name as the client gets it: an atom where that is allowed, else quoted.
void append_mailbox_name(std::string& out, std::string_view utf8);

// "inbox" and "iNbOx/child" become "INBOX" and "INBOX/child".
std::string canonical_inbox(std::string_view name);

// Appends a string: quoted, or as a literal when it holds CR, LF or 8-bit bytes.
void append_string(std::string& out, std::string_view value);

}  // namespace imapd::syntax
