// What SELECT and EXAMINE may be given besides the name: RFC 4466 §2.1, RFC 7162 §3.1.8 and §3.2.5.
#pragma once

#include "imapd/engine/view.h"
#include "imapd/syntax/scanner.h"
#include "libstore/types.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace imapd::engine {

// Numbers in seq-match-data that are compared; a client sends a few dozen.
constexpr std::size_t max_match_numbers = 10'000;

// What a client knew of the mailbox when it left it.
struct Resync {
    std::uint32_t uid_validity = 0;
    store::Lsn modseq = 0;
    std::optional<syntax::SequenceSet> known_uids;
    // Pairs of a sequence number and its uid, ascending.
    std::vector<std::uint32_t> match_numbers;
    std::vector<std::uint32_t> match_uids;

    // The highest uid of the pairs that still are where they were: below it nothing was expunged.
    std::uint32_t unchanged_up_to(const View& view) const;
};

struct SelectParameters {
    bool read_only = false;
    bool condstore = false;
    std::optional<Resync> resync;
};

// After the name, with the space; nothing may follow.
util::Result<SelectParameters> parse_select_parameters(syntax::Scanner& arguments);

}  // namespace imapd::engine
