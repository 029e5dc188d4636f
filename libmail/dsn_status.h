// Enhanced status codes: RFC 3463 syntax, and which one an SMTP code implies.
#pragma once

#include <string>
#include <string_view>

namespace mail {

// "class.subject.detail" of RFC 3463 §2: class 2, 4 or 5, the others 1 to 3 digits without leading zero.
bool is_dsn_status(std::string_view text);

// The status code at the start of `text` that stands alone (followed by a space or the end); or
// empty.  Its class must be that of `code` (RFC 2034 §4: otherwise it is not one), 0 = any.
std::string_view leading_dsn_status(std::string_view text, int code = 0);

// `status` with the class of an SMTP `code`: ("5.1.1", 450) gives "4.1.1".
std::string with_class(std::string_view status, int code);

// What a server meant that gave no status: x.0.0 of the code's class, x.1.1 for 550 and 450 to a
// recipient is not guessed.
std::string default_dsn_status(int code);

// A word for the log and DSNs: what RFC 3463 §3 calls the status, or "".
std::string_view describe(std::string_view status);

}  // namespace mail
