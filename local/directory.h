// Whose mailbox an address is: the accounts, with recipient_delimiter.
#pragma once

#include "libutil/result.h"

#include <functional>
#include <string>
#include <string_view>

namespace local {

// The account that an address names, by its exact (case-folded) form: NotFound, or Temporary when
// the accounts cannot be read.
using FindAccount = std::function<util::Result<std::string>(std::string_view address)>;

// user+ext@domain without its extension; empty if it has none.  Each of `delimiters` separates, the
// first in the local part counts; an extension does not stand at the beginning.  owner-list and
// list-request stay whole when the delimiter is '-', as with Postfix.
std::string without_extension(std::string_view address, std::string_view delimiters);

// The account of an address, or of the address without its extension.
util::Result<std::string> account_of(std::string_view address, std::string_view delimiters,
                                     const FindAccount& find);

}  // namespace local
