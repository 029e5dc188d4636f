// Attributes of mailboxes in LIST: special use (RFC 6154) and children (RFC 3348).
#pragma once

#include "libstore/store.h"

#include <string_view>

namespace imapd::engine {

// By the attribute without its backslash, in any case; None if it is unknown.
store::SpecialUse special_use_named(std::string_view attribute);
// With the backslash; empty for None.
std::string_view attribute_of(store::SpecialUse use);

bool has_children(const store::Store& store, std::string_view name);

}  // namespace imapd::engine
