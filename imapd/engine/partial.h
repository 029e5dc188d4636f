// PARTIAL: a page of a result (RFC 9394 §3.1).
#pragma once

#include "imapd/engine/view.h"
#include "imapd/syntax/scanner.h"

#include <cstdint>
#include <string>
#include <vector>

namespace imapd::engine {

// Positions from 1, of the first result or, `from_end`, of the last one.
struct Partial {
    std::uint32_t first = 1;   // not above last
    std::uint32_t last = 1;
    bool from_end = false;
    std::string text;          // as the client wrote it

    // Which of `count` results; begin == end if there are none there.
    IndexRange of(std::size_t count) const;
};

// "1:500" or "-1:-100".
util::Result<Partial> parse_partial(syntax::Scanner& arguments);
// The page of the messages that the ranges hold.
std::vector<IndexRange> part_of(const std::vector<IndexRange>& ranges, const Partial& partial);

}  // namespace imapd::engine
