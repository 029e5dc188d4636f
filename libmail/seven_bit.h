// A message for a server that takes no bytes above 127: RFC 6152 §3, RFC 2045 §6, RFC 1428 §4.
#pragma once

#include <string>
#include <string_view>

namespace mail {

// Bodies with such bytes become quoted-printable, in whatever part they are, and the fields that say so
// are written; what surrounds them says 7bit.  A message without MIME fields gets them, with the charset
// unknown-8bit.  Left as they are: header fields (only SMTPUTF8 could carry them), what stands between
// the parts, and bodies that are encoded already.
std::string to_seven_bit(std::string_view message);

}  // namespace mail
