// The arguments of SEARCH as a tree: RFC 3501 §6.4.4, RFC 4731 (RETURN).
#pragma once

#include "imapd/syntax/scanner.h"
#include "libstore/types.h"

#include <cstdint>
#include <string>
#include <vector>

namespace imapd::engine {

constexpr int max_search_depth = 50;             // of parentheses, NOT and OR
constexpr std::size_t max_search_keys = 2000;
constexpr std::size_t max_search_text = 4096;    // bytes of one string to look for

struct SearchKey {
    enum class Kind : unsigned char {
        All, And, Or, Not,
        FlagSet, FlagUnset, Recent,   // flags
        Keyword,                      // text
        Sequence, Uid,                // set
        Before, On, Since,            // number: days since 1970
        SentBefore, SentOn, SentSince,
        Larger, Smaller,              // number
        Header,                       // header, text
        Body, Text,                   // text
    };
    Kind kind = Kind::All;
    store::Flags flags = 0;
    std::int64_t number = 0;
    std::string header;
    std::string text;                 // in UTF-8, case folded (a keyword as it is)
    syntax::SequenceSet set;
    std::vector<SearchKey> children;

    // What a look at a message costs: 0 its entry, 1 what was rendered, 2 its header, 3 all of it.
    int cost() const;
};

struct SearchArguments {
    bool extended = false;            // RETURN was given: ESEARCH answers
    bool min = false;
    bool max = false;
    bool count = false;
    bool all = false;
    SearchKey key;                    // And of all keys
};

// Everything after SEARCH and its space.  Invalid: syntax or a limit; Permanent: a charset that is
// not known (BADCHARSET).
util::Result<SearchArguments> parse_search(syntax::Scanner& arguments);

}  // namespace imapd::engine
