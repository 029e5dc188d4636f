// The texts of a message that a search looks at: decoded, in UTF-8, case folded (RFC 3501 §6.4.4).
//
// The scan, and what fills the index, see the same texts: an index made of others would hide mail.
#pragma once

#include "libmail/mime.h"

#include <functional>
#include <string>
#include <string_view>

namespace search {

// Where a text stands: in the message's own header, or in a part (its header among that).
enum class Zone : unsigned char { Header, Body };

// What is looked for, in UTF-8, case folded.  Without a charset it is UTF-8.
std::string folded_needle(std::string_view bytes, std::string_view charset);

// Does a header field's value, unfolded, its encoded-words decoded, hold the needle?
bool header_value_contains(std::string_view value, std::string_view needle);

// Does the message hold the needle in a text part, in the header of a part or of an embedded
// message, and, `with_header`, in its own header?
bool message_contains(std::string_view message, const mail::MimeTreeView& tree, std::string_view needle, bool with_header);

struct TextView {
    Zone zone = Zone::Body;
    std::string_view folded;
    bool html = false;
};
// Calls `take` for each such text until it answers true, and answers whether it did.  The text is gone after
// the call.
bool each_text(std::string_view message, const mail::MimeTreeView& tree, bool with_header,
               const std::function<bool(const TextView&)>& take);

}  // namespace search
