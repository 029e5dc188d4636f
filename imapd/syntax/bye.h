// BYE, the server's last words (RFC 3501 §7.1.5): written here and nowhere else, whoever ends a connection.
#pragma once

#include "libutil/text.h"

#include <string>
#include <string_view>

namespace imapd::syntax {

constexpr std::string_view bye_prefix = "* BYE ";

inline std::string bye(std::string_view reason) { return util::concat(bye_prefix, reason, "\r\n"); }

}  // namespace imapd::syntax
