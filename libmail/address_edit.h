// Addresses in header fields, changed where they stand: RFC 5322 §3.4 with obsolete forms.
//
// A field's text is not written anew: display names, comments, groups, quoted strings, encoded words
// and folding stay as they are, byte by byte.  Only an address that becomes another one is replaced.
// What is no address (a phrase alone, two addresses without a comma, a bracket that never closes)
// is left alone.
#pragma once

#include "libmail/address.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

// `length` bytes at `offset` of a text become `replacement`.
struct Edit {
    std::size_t offset = 0;
    std::size_t length = 0;
    std::string replacement;
};

// The text with its edits, which are sorted and do not overlap.
std::string apply_edits(std::string_view text, const std::vector<Edit>& edits);

// What an address becomes; nothing when it stays.  Its domain is empty where the text has none.
using AddressChange = std::function<util::Result<std::optional<Address>>(const Address& address)>;

// The edits for a field's value.  Source routes are dropped from addresses that `change` is asked
// about (RFC 5322 §4.4).  At most `token_limit` tokens are looked at: words, punctuation and comments;
// addresses behind them stay.  An error is that of `change`.
util::Result<std::vector<Edit>> edit_addresses(std::string_view value, std::size_t token_limit,
                                               const AddressChange& change);

}  // namespace mail
