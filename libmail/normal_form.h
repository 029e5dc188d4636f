// Text that people type: one spelling of what looks the same.
//
// "e" with a combining acute, as some systems send it, and the one character for both are the same letter
// to whoever types it: names and passwords are compared in Unicode's normalization form C (UAX #15).
#pragma once

#include <string>
#include <string_view>

namespace mail {

// Valid UTF-8 in form C.  What is not valid UTF-8 stays as it is.  Up to three times as long.
std::string normal_form(std::string_view utf8);

// A password as it is hashed: spaces of other scripts are plain ones, then form C (OpaqueString, RFC 8265
// §4.2.2).  Nothing else changes: neither case nor width; what is not valid UTF-8 stays as it is.
std::string prepare_password(std::string_view password);

// The name of a group (libconf/group_name.h) as access control lists have it, whoever has written it: letters of ASCII
// are small ones, form C.
std::string prepare_group(std::string_view name);

}  // namespace mail
