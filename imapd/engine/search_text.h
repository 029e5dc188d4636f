// Text search in messages: on decoded text, without regard to case (RFC 3501 §6.4.4).
#pragma once

#include "libmail/imap_render.h"

#include <string>
#include <string_view>

namespace imapd::engine {

// What is looked for, in UTF-8, case folded.  Without a charset it is UTF-8.
std::string folded_needle(std::string_view bytes, std::string_view charset);

// Does a header field's value, unfolded, its encoded-words decoded, hold the needle?
bool header_value_contains(std::string_view value, std::string_view needle);

// Does the message hold the needle in a text part, in the header of a part or of an embedded
// message, and, `with_header`, in its own header?
bool message_contains(std::string_view message, const mail::MimeTreeView& tree,
                      std::string_view needle, bool with_header);

}  // namespace imapd::engine
