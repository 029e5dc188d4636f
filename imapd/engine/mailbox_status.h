// The items of STATUS (RFC 9051 §6.3.11, RFC 8438, RFC 7889, RFC 7162 §3.1.7, RFC 9208 §4.1.4) and the response, also for
// LIST-STATUS (RFC 5819).
#pragma once

#include "imapd/syntax/scanner.h"
#include "libstore/store.h"

#include <initializer_list>
#include <string>
#include <string_view>

namespace imapd::engine {

using StatusItems = unsigned;  // bits, in the order of the table in the .cc

struct StatusFacts {
    store::Store& store;
    syntax::Form form = syntax::Form::Ascii;
    std::uint64_t append_limit = 0;
    std::string_view reader = {};   // who is not the owner: his own \Seen count
    std::string_view prefix = {};   // what stands before names for him
};

util::Result<StatusItems> parse_status_items(syntax::Scanner& arguments);
// By their names, which are such.
StatusItems status_items(std::initializer_list<std::string_view> names);
// HIGHESTMODSEQ, for which a client must be CONDSTORE-aware.
bool asks_modseq(StatusItems items);
void append_status(std::string& out, const StatusFacts& facts, const store::MailboxFacts& mailbox,
                   StatusItems items);

}  // namespace imapd::engine
