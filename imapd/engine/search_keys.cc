// The arguments of SEARCH as a tree.
#include "imapd/engine/search_keys.h"

#include "libmail/charset.h"
#include "libmail/date.h"
#include "libmail/imap_render.h"
#include "libsearch/text.h"
#include "libutil/text.h"

#include <algorithm>
#include <array>

namespace imapd::engine {

using syntax::Scanner;
using Kind = SearchKey::Kind;

namespace {

enum class Argument : unsigned char { None, Text, Keyword, Day, Number, Interval, Modseq, Header, Set, UidAfter, UidBefore };

struct Word {
    std::string_view name;
    Kind kind;
    Argument argument;
    store::Flags flags = 0;
    std::string_view header = {};
};

constexpr std::array<Word, 46> words = {{
    {"ALL", Kind::All, Argument::None},
    {"ANSWERED", Kind::FlagSet, Argument::None, store::Answered},
    {"BCC", Kind::Header, Argument::Text, 0, "Bcc"},
    {"BEFORE", Kind::Before, Argument::Day},
    {"BODY", Kind::Body, Argument::Text},
    {"CC", Kind::Header, Argument::Text, 0, "Cc"},
    {"DELETED", Kind::FlagSet, Argument::None, store::Deleted},
    {"DRAFT", Kind::FlagSet, Argument::None, store::Draft},
    {"EMAILID", Kind::EmailId, Argument::Keyword},
    {"FLAGGED", Kind::FlagSet, Argument::None, store::Flagged},
    {"FROM", Kind::Header, Argument::Text, 0, "From"},
    {"HEADER", Kind::Header, Argument::Header},
    {"KEYWORD", Kind::Keyword, Argument::Keyword},
    {"LARGER", Kind::Larger, Argument::Number},
    {"MODSEQ", Kind::Modseq, Argument::Modseq},
    {"OLDER", Kind::Older, Argument::Interval},
    {"ON", Kind::On, Argument::Day},
    {"RECENT", Kind::Recent, Argument::None},
    {"SAVEDATESUPPORTED", Kind::All, Argument::None},
    {"SAVEDBEFORE", Kind::SavedBefore, Argument::Day},
    {"SAVEDON", Kind::SavedOn, Argument::Day},
    {"SAVEDSINCE", Kind::SavedSince, Argument::Day},
    {"SEEN", Kind::FlagSet, Argument::None, store::Seen},
    {"SENTBEFORE", Kind::SentBefore, Argument::Day},
    {"SENTON", Kind::SentOn, Argument::Day},
    {"SENTSINCE", Kind::SentSince, Argument::Day},
    {"SINCE", Kind::Since, Argument::Day},
    {"SMALLER", Kind::Smaller, Argument::Number},
    {"SUBJECT", Kind::Header, Argument::Text, 0, "Subject"},
    {"TEXT", Kind::Text, Argument::Text},
    {"THREADID", Kind::ThreadId, Argument::Keyword},
    {"TO", Kind::Header, Argument::Text, 0, "To"},
    {"UID", Kind::Uid, Argument::Set},
    {"UIDAFTER", Kind::Uid, Argument::UidAfter},
    {"UIDBEFORE", Kind::Uid, Argument::UidBefore},
    {"UNANSWERED", Kind::FlagUnset, Argument::None, store::Answered},
    {"UNDELETED", Kind::FlagUnset, Argument::None, store::Deleted},
    {"UNDRAFT", Kind::FlagUnset, Argument::None, store::Draft},
    {"UNFLAGGED", Kind::FlagUnset, Argument::None, store::Flagged},
    {"UNSEEN", Kind::FlagUnset, Argument::None, store::Seen},
    {"YOUNGER", Kind::Younger, Argument::Interval},
    // Those below stand for a tree.
    {"NEW", Kind::And, Argument::None},
    {"NOT", Kind::Not, Argument::None},
    {"OLD", Kind::Not, Argument::None},
    {"OR", Kind::Or, Argument::None},
    {"UNKEYWORD", Kind::Not, Argument::Keyword},
}};

class KeyParser {
public:
    KeyParser(Scanner& arguments, std::string_view charset, bool uid_bounds)
        : arguments_(arguments), charset_(charset), uid_bounds_(uid_bounds)
    {
    }

    util::Result<SearchKey> key(int depth);
    bool met_fuzzy() const { return met_fuzzy_; }

private:
    util::Result<SearchKey> group(int depth);
    util::Result<SearchKey> tree(const Word& word, int depth);
    util::Result<void> argument(const Word& word, SearchKey& key);
    util::Result<std::string> text();
    util::Result<void> skip_entry_name();

    Scanner& arguments_;
    std::string_view charset_;
    bool uid_bounds_;
    std::size_t keys_ = 0;
    bool fuzzy_ = false;       // the key at hand is under FUZZY (RFC 6203 §3)
    bool met_fuzzy_ = false;
};

SearchKey leaf(Kind kind, store::Flags flags = 0)
{
    SearchKey key;
    key.kind = kind;
    key.flags = flags;
    return key;
}

SearchKey negated(SearchKey key)
{
    SearchKey out = leaf(Kind::Not);
    out.children.push_back(std::move(key));
    return out;
}

// Cheap keys first: most messages are then decided without reading them.
void order_by_cost(SearchKey& key)
{
    std::stable_sort(key.children.begin(), key.children.end(),
                     [](const SearchKey& a, const SearchKey& b) { return a.cost() < b.cost(); });
}

util::Result<std::string> KeyParser::text()
{
    auto bytes = TRY(arguments_.astring());
    if (bytes.size() > max_search_text)
        return util::invalid("The text to search for is too long");
    return search::folded_needle(bytes, charset_);
}

// RFC 7162 §3.1.5: a server with one modseq per message ignores which of its flags is meant.
util::Result<void> KeyParser::skip_entry_name()
{
    if (arguments_.peek() != '"')
        return {};
    auto name = TRY(arguments_.string());
    if (!util::starts_with_nocase(name, "/flags/"))
        return util::invalid("Unknown entry name");
    TRY(arguments_.space());
    if (!arguments_.skip_atom("all") && !arguments_.skip_atom("priv") && !arguments_.skip_atom("shared"))
        return util::invalid("all, priv or shared expected");
    return arguments_.space();
}

util::Result<void> KeyParser::argument(const Word& word, SearchKey& key)
{
    if (word.argument == Argument::None)
        return {};
    TRY(arguments_.space());
    switch (word.argument) {
    case Argument::None:
        break;
    case Argument::Text:
        key.text = TRY(text());
        break;
    case Argument::Keyword:
        key.text = TRY(arguments_.atom());
        break;
    case Argument::Header:
        key.header = TRY(arguments_.astring());
        TRY(arguments_.space());
        key.text = TRY(text());
        break;
    case Argument::Number:
        key.number = std::int64_t(TRY(arguments_.number(INT64_MAX)));
        break;
    case Argument::Interval:  // RFC 5032 §2
        key.number = std::int64_t(TRY(arguments_.nz_number()));
        break;
    case Argument::Modseq:
        TRY(skip_entry_name());
        key.number = std::int64_t(TRY(arguments_.number(INT64_MAX)));
        break;
    case Argument::Set:
        key.set = TRY(arguments_.sequence_set());
        break;
    case Argument::UidAfter:
        if (auto uid = TRY(arguments_.nz_number()); uid < UINT32_MAX)
            key.set = syntax::SequenceSet::of(std::uint32_t(uid) + 1, UINT32_MAX);
        break;
    case Argument::UidBefore:
        if (auto uid = TRY(arguments_.nz_number()); uid > 1)
            key.set = syntax::SequenceSet::of(1, std::uint32_t(uid) - 1);
        break;
    case Argument::Day: {
        auto value = TRY(arguments_.astring());
        auto day = mail::parse_imap_day(value);
        if (!day)
            return util::invalid("Invalid date");
        key.number = mail::days_from_day(*day);
        break;
    }
    }
    return {};
}

// NEW is RECENT UNSEEN, OLD is NOT RECENT, UNKEYWORD x is NOT KEYWORD x (RFC 3501 §6.4.4).
util::Result<SearchKey> KeyParser::tree(const Word& word, int depth)
{
    if (word.name == "NEW") {
        SearchKey both = leaf(Kind::And);
        both.children.push_back(leaf(Kind::Recent));
        both.children.push_back(leaf(Kind::FlagUnset, store::Seen));
        return both;
    }
    if (word.name == "OLD")
        return negated(leaf(Kind::Recent));
    if (word.name == "UNKEYWORD") {
        SearchKey keyword = leaf(Kind::Keyword);
        TRY(argument(word, keyword));
        return negated(std::move(keyword));
    }
    SearchKey out = leaf(word.kind);
    for (int operands = word.kind == Kind::Or ? 2 : 1; operands > 0; --operands) {
        TRY(arguments_.space());
        auto child = TRY(key(depth + 1));
        out.children.push_back(std::move(child));
    }
    order_by_cost(out);
    return out;
}

util::Result<SearchKey> KeyParser::group(int depth)
{
    SearchKey all = leaf(Kind::And);
    do {
        auto child = TRY(key(depth + 1));
        all.children.push_back(std::move(child));
    } while (arguments_.skip(' '));
    TRY(arguments_.expect(')'));
    order_by_cost(all);
    return all;
}

util::Result<SearchKey> KeyParser::key(int depth)
{
    if (depth > max_search_depth)
        return util::invalid("The search is nested too deeply");
    if (++keys_ > max_search_keys)
        return util::invalid("The search has too many keys");
    char next = arguments_.peek();
    if (arguments_.skip('('))
        return group(depth);
    if (util::is_digit(next) || next == '*' || next == '$') {
        SearchKey set = leaf(next == '$' ? Kind::Uid : Kind::Sequence);
        set.set = TRY(arguments_.sequence_set());
        return set;
    }
    auto name = TRY(arguments_.atom());
    if (util::equal_nocase(name, "FUZZY")) {
        TRY(arguments_.space());
        met_fuzzy_ = true;
        bool before = std::exchange(fuzzy_, true);
        auto child = TRY(key(depth + 1));
        fuzzy_ = before;
        return child;
    }
    auto word = std::find_if(words.begin(), words.end(), [&](const Word& candidate) {
        return util::equal_nocase(candidate.name, name);
    });
    bool is_bound = word != words.end() && (word->argument == Argument::UidAfter || word->argument == Argument::UidBefore);
    if (word == words.end() || (is_bound && !uid_bounds_))
        return util::invalid("Unknown search key");
    if (word->kind == Kind::And || word->kind == Kind::Or || word->kind == Kind::Not)
        return tree(*word, depth);
    SearchKey out = leaf(word->kind, word->flags);
    out.header = word->header;
    TRY(argument(*word, out));
    if (fuzzy_ && (out.kind == Kind::Header || out.kind == Kind::Body || out.kind == Kind::Text))
        out.fuzzy.emplace(out.text);
    return out;
}

// RFC 3501 §7.1: BADCHARSET lists what is known; all names are atoms.
std::string unknown_charset()
{
    std::string text = "[BADCHARSET (";
    for (std::string_view name : mail::charset_names())
        util::append(text, name, ' ');
    text.back() = ')';
    return text + "] This charset is not known";
}

// RFC 4731 §3.1: RETURN () means ALL; RFC 5267 §4.1: CONTEXT and UPDATE have to do with no other option.
util::Result<void> parse_return(Scanner& arguments, SearchArguments& search)
{
    search.extended = true;
    for (bool first = true; !arguments.skip(')'); first = false) {
        if (!first)
            TRY(arguments.space());
        auto option = TRY(arguments.atom());
        auto is = [&](std::string_view name) { return util::equal_nocase(option, name); };
        if (is("MIN")) {
            search.min = true;
        } else if (is("MAX")) {
            search.max = true;
        } else if (is("COUNT")) {
            search.count = true;
        } else if (is("ALL")) {
            search.all = true;
        } else if (is("SAVE")) {
            search.save = true;
        } else if (is("RELEVANCY")) {
            search.relevancy = true;
        } else if (is("CONTEXT")) {
            // RFC 5267 §4.2: a hint for those who keep results.
        } else if (is("UPDATE") && !search.update) {
            search.update = true;
            if (arguments.rest().starts_with(" (")) {
                TRY(arguments.space());
                search.update_items = TRY(parse_fetch_items(arguments, false));
                search.update_items.marks_seen = false;
            }
        } else if (is("PARTIAL") && !search.partial) {
            TRY(arguments.space());
            search.partial = TRY(parse_partial(arguments));
        } else {
            return util::invalid("Unknown SEARCH return option");
        }
    }
    if (search.all && search.partial)
        return util::invalid("ALL and PARTIAL exclude each other");
    search.all = search.all || !(search.returns_something() || search.save || search.update);
    return {};
}

util::Result<void> parse_keys(Scanner& arguments, std::string_view charset, SearchArguments& search)
{
    KeyParser parser(arguments, charset, search.uid_bounds);
    search.key.kind = Kind::And;
    do {
        auto key = TRY(parser.key(0));
        search.key.children.push_back(std::move(key));
    } while (arguments.skip(' '));
    TRY(arguments.end());
    search.fuzzy = parser.met_fuzzy();
    if (search.relevancy && !search.fuzzy)   // RFC 6203 §4
        return util::invalid("RELEVANCY needs a FUZZY key");
    order_by_cost(search.key);
    return {};
}

}  // namespace

bool SearchKey::uses(Kind wanted) const
{
    return kind == wanted || std::any_of(children.begin(), children.end(), [wanted](const SearchKey& child) {
        return child.uses(wanted);
    });
}

int SearchKey::cost() const
{
    switch (kind) {
    case Kind::And:
    case Kind::Or:
    case Kind::Not: {
        int most = 0;
        for (const auto& child : children)
            most = std::max(most, child.cost());
        return most;
    }
    case Kind::SentBefore:
    case Kind::SentOn:
    case Kind::SentSince:
        return 1;
    case Kind::Header:
        return mail::is_cached_field(header) ? 1 : 2;
    case Kind::Body:
    case Kind::Text:
        return 3;
    default:
        return 0;
    }
}

util::Result<void> parse_search_return(Scanner& arguments, SearchArguments& search)
{
    if (!arguments.skip_word("RETURN ("))
        return {};
    TRY(parse_return(arguments, search));
    return arguments.space();
}

util::Result<void> parse_search_program(Scanner& arguments, SearchArguments& search)
{
    std::string charset(TRY(arguments.astring()));
    if (!mail::is_known_charset(charset))
        return util::permanent(unknown_charset());
    TRY(arguments.space());
    return parse_keys(arguments, charset, search);
}

util::Result<void> parse_search(Scanner& arguments, SearchArguments& search)
{
    TRY(parse_search_return(arguments, search));
    if (arguments.skip_word("CHARSET ")) {
        if (search.charset_is_fixed)  // RFC 6855 §3
            return util::invalid("No CHARSET after ENABLE UTF8=ACCEPT");
        return parse_search_program(arguments, search);
    }
    return parse_keys(arguments, {}, search);
}

}  // namespace imapd::engine
