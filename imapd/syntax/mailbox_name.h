// Mailbox names on the wire: modified UTF-7 (RFC 3501 §5.1.3) to and from UTF-8, or UTF-8 itself once the
// client has enabled it (RFC 9051 §5.1).
#pragma once

#include "libutil/result.h"

#include <string>
#include <string_view>

namespace imapd::syntax {

// How text beyond ASCII travels.
enum class Form : unsigned char {
    Ascii,  // names in modified UTF-7, strings with 8-bit bytes as literals
    Utf8,   // both in UTF-8, quoted
};

// The UTF-8 name behind a name on the wire.  Invalid when it is not canonical modified UTF-7: bytes
// of 128 and above, an open &, base64 for what stands for itself, stray bits, unpaired surrogates,
// control characters; or, in UTF-8, not well formed.
// INBOX in any case, alone or as the first level, becomes "INBOX".
util::Result<std::string> decode_mailbox_name(std::string_view wire, Form form = Form::Ascii);
// The same for a LIST pattern: `%` and `*` stay; INBOX is left as it is written.
util::Result<std::string> decode_mailbox_pattern(std::string_view wire, Form form = Form::Ascii);

// Appends the name as the client gets it: an atom where that is allowed, else quoted.
void append_mailbox_name(std::string& out, std::string_view utf8, Form form = Form::Ascii);

// "inbox" and "iNbOx/child" become "INBOX" and "INBOX/child".
std::string canonical_inbox(std::string_view name);

// Appends a string: quoted, or as a literal when it holds CR, LF, or bytes of 128 and above that are not
// to be quoted.
void append_string(std::string& out, std::string_view value, Form form = Form::Ascii);

}  // namespace imapd::syntax
