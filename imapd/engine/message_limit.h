// MESSAGELIMIT: how many messages one command works on (RFC 9738).
//
// Those with the highest UIDs are worked on, and the answer says how far down that went, so that the client can go on
// below it.
#pragma once

#include "imapd/engine/view.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace imapd::engine {

// "[MESSAGELIMIT 1000 23221]".
std::string message_limit_code(std::size_t limit, std::uint32_t lowest_uid);

std::size_t message_count(const std::vector<IndexRange>& ranges);
// Leaves the highest `limit` of ascending ranges or uids; true: there were more.
bool keep_highest(std::vector<IndexRange>& ranges, std::size_t limit);
bool keep_highest(std::vector<std::uint32_t>& uids, std::size_t limit);
// What is in both.
std::vector<IndexRange> common_ranges(const std::vector<IndexRange>& a, const std::vector<IndexRange>& b);

}  // namespace imapd::engine
