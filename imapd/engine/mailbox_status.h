// The items of STATUS (RFC 3501 §6.3.10, RFC 8438) and the response, also for LIST-STATUS (RFC 5819).
#pragma once

#include "imapd/syntax/scanner.h"
#include "libstore/store.h"

#include <string>

namespace imapd::engine {

using StatusItems = unsigned;  // bits, in the order of the table in the .cc

util::Result<StatusItems> parse_status_items(syntax::Scanner& arguments);
void append_status(std::string& out, store::Store& store, const store::Mailbox& mailbox,
                   StatusItems items);

}  // namespace imapd::engine
