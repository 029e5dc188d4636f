// The arguments of SEARCH as a tree: RFC 9051 §6.4.4, RFC 4731 (RETURN), RFC 5182 (SAVE), RFC 9394
// (PARTIAL), RFC 5032 (WITHIN), RFC 7162 §3.1.5 (MODSEQ), RFC 8514 (SAVEDATE), RFC 8474 (OBJECTID), RFC 6203 (FUZZY),
// RFC 9738 §3.2 (UIDAFTER, UIDBEFORE).
#pragma once

#include "imapd/engine/fetch_items.h"
#include "imapd/engine/partial.h"
#include "imapd/syntax/scanner.h"
#include "libsearch/fuzzy.h"
#include "libstore/types.h"

#include <cstdint>
#include <optional>
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
        Sequence, Uid,                // set; `$` is both
        Older, Younger,               // number: seconds
        SavedBefore, SavedOn, SavedSince,  // number: days
        EmailId, ThreadId,            // text
        Modseq,                       // number
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
    std::optional<search::FuzzyText> fuzzy;   // the same, if it need not match exactly
    syntax::SequenceSet set;
    std::vector<SearchKey> children;

    // Is there a key of this kind anywhere?
    bool uses(Kind kind) const;
    // What a look at a message costs: 0 its entry, 1 what was rendered, 2 its header, 3 all of it.
    int cost() const;
};

struct SearchArguments {
    bool charset_is_fixed = false;    // by UTF8=ACCEPT: none may be given
    bool uid_bounds = false;          // UIDAFTER and UIDBEFORE are known (RFC 9738 §3.2)
    bool extended = false;            // RETURN was given: ESEARCH answers
    bool min = false;
    bool max = false;
    bool count = false;
    bool all = false;
    bool save = false;
    bool relevancy = false;
    std::optional<Partial> partial;
    bool fuzzy = false;               // some key is under FUZZY
    bool update = false;              // RFC 5267 §4.3
    FetchItems update_items;          // RFC 5465 §7; perhaps none
    SearchKey key;                    // And of all keys

    // Is there anything to be told?
    bool returns_something() const { return min || max || count || all || relevancy || partial; }
};

// Everything after SEARCH and its space.  Invalid: syntax or a limit; Permanent: a charset that is
// not known (BADCHARSET); `search` then has what was read before.
util::Result<void> parse_search(syntax::Scanner& arguments, SearchArguments& search);

// The pieces of SORT and THREAD: "RETURN (..) " if it is there; and the charset, which must be, and keys.
util::Result<void> parse_search_return(syntax::Scanner& arguments, SearchArguments& search);
util::Result<void> parse_search_program(syntax::Scanner& arguments, SearchArguments& search);

}  // namespace imapd::engine
