// Flags as arguments of STORE and APPEND.
#pragma once

#include "imapd/syntax/scanner.h"
#include "libstore/types.h"

#include <string>
#include <vector>

namespace imapd::engine {

// Flags in parentheses, or (STORE) bare to the end.  System flags and keywords; \Recent and
// unknown system flags are Invalid (RFC 3501 §9, flag).
struct FlagList {
    store::Flags flags = 0;
    std::vector<std::string> keywords;
};
util::Result<FlagList> parse_flag_list(syntax::Scanner& arguments, bool bare_allowed);

}  // namespace imapd::engine
