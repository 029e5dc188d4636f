// The arguments of SEARCH as a tree.
#include "imapd/engine/search_keys.h"

#include "imapd/engine/search_text.h"
#include "libmail/charset.h"
#include "libmail/date.h"
#include "libutil/text.h"

#include <algorithm>
#include <array>

namespace imapd::engine {

using syntax::Scanner;
using Kind = SearchKey::Kind;

namespace {

enum class Argument : unsigned char { None, Text, Keyword, Day, Number, Header, Set };

struct Word {
    std::string_view name;
    Kind kind;
    Argument argument;
    store::Flags flags = 0;
    std::string_view header = {};
};

constexpr std::array<Word, 35> words = {{
    {"ALL", Kind::All, Argument::None},
    {"ANSWERED", Kind::FlagSet, Argument::None, store::Answered},
    {"BCC", Kind::Header, Argument::Text, 0, "Bcc"},
    {"BEFORE", Kind::Before, Argument::Day},
    {"BODY", Kind::Body, Argument::Text},
    {"CC", Kind::Header, Argument::Text, 0, "Cc"},
    {"DELETED", Kind::FlagSet, Argument::None, store::Deleted},
    {"DRAFT", Kind::FlagSet, Argument::None, store::Draft},
    {"FLAGGED", Kind::FlagSet, Argument::None, store::Flagged},
    {"FROM", Kind::Header, Argument::Text, 0, "From"},
    {"HEADER", Kind::Header, Argument::Header},
    {"KEYWORD", Kind::Keyword, Argument::Keyword},
    {"LARGER", Kind::Larger, Argument::Number},
    {"ON", Kind::On, Argument::Day},
    {"RECENT", Kind::Recent, Argument::None},
    {"SEEN", Kind::FlagSet, Argument::None, store::Seen},
    {"SENTBEFORE", Kind::SentBefore, Argument::Day},
    {"SENTON", Kind::SentOn, Argument::Day},
    {"SENTSINCE", Kind::SentSince, Argument::Day},
    {"SINCE", Kind::Since, Argument::Day},
    {"SMALLER", Kind::Smaller, Argument::Number},
    {"SUBJECT", Kind::Header, Argument::Text, 0, "Subject"},
    {"TEXT", Kind::Text, Argument::Text},
    {"TO", Kind::Header, Argument::Text, 0, "To"},
    {"UID", Kind::Uid, Argument::Set},
    {"UNANSWERED", Kind::FlagUnset, Argument::None, store::Answered},
    {"UNDELETED", Kind::FlagUnset, Argument::None, store::Deleted},
    {"UNDRAFT", Kind::FlagUnset, Argument::None, store::Draft},
    {"UNFLAGGED", Kind::FlagUnset, Argument::None, store::Flagged},
    {"UNSEEN", Kind::FlagUnset, Argument::None, store::Seen},
    // Those below stand for a tree.
    {"NEW", Kind::And, Argument::None},
    {"NOT", Kind::Not, Argument::None},
    {"OLD", Kind::Not, Argument::None},
    {"OR", Kind::Or, Argument::None},
    {"UNKEYWORD", Kind::Not, Argument::Keyword},
}};

class Parser {
public:
    Parser(Scanner& arguments, std::string_view charset) : arguments_(arguments), charset_(charset) {}

    util::Result<SearchKey> key(int depth);

private:
    util::Result<SearchKey> group(int depth);
    util::Result<SearchKey> tree(const Word& word, int depth);
    util::Result<void> argument(const Word& word, SearchKey& key);
    util::Result<std::string> text();

    Scanner& arguments_;
    std::string_view charset_;
    std::size_t keys_ = 0;
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

util::Result<std::string> Parser::text()
{
    auto bytes = TRY(arguments_.astring());
    if (bytes.size() > max_search_text)
        return util::invalid("The text to search for is too long");
    return folded_needle(bytes, charset_);
}

util::Result<void> Parser::argument(const Word& word, SearchKey& key)
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
    case Argument::Set:
        key.set = TRY(arguments_.sequence_set());
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
util::Result<SearchKey> Parser::tree(const Word& word, int depth)
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

util::Result<SearchKey> Parser::group(int depth)
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

util::Result<SearchKey> Parser::key(int depth)
{
    if (depth > max_search_depth)
        return util::invalid("The search is nested too deeply");
    if (++keys_ > max_search_keys)
        return util::invalid("The search has too many keys");
    char next = arguments_.peek();
    if (arguments_.skip('('))
        return group(depth);
    if (util::is_digit(next) || next == '*') {
        SearchKey set = leaf(Kind::Sequence);
        set.set = TRY(arguments_.sequence_set());
        return set;
    }
    auto name = TRY(arguments_.atom());
    auto word = std::find_if(words.begin(), words.end(), [&](const Word& candidate) {
        return util::equal_nocase(candidate.name, name);
    });
    if (word == words.end())
        return util::invalid("Unknown search key");
    if (word->kind == Kind::And || word->kind == Kind::Or || word->kind == Kind::Not)
        return tree(*word, depth);
    SearchKey out = leaf(word->kind, word->flags);
    out.header = word->header;
    TRY(argument(*word, out));
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

// RFC 4731 §3.1: RETURN () means ALL.
util::Result<void> parse_return(Scanner& arguments, SearchArguments& search)
{
    search.extended = true;
    for (bool first = true; !arguments.skip(')'); first = false) {
        if (!first)
            TRY(arguments.space());
        auto option = TRY(arguments.atom());
        if (util::equal_nocase(option, "MIN"))
            search.min = true;
        else if (util::equal_nocase(option, "MAX"))
            search.max = true;
        else if (util::equal_nocase(option, "COUNT"))
            search.count = true;
        else if (util::equal_nocase(option, "ALL"))
            search.all = true;
        else
            return util::invalid("Unknown SEARCH return option");
    }
    search.all = search.all || !(search.min || search.max || search.count);
    return {};
}

}  // namespace

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

util::Result<SearchArguments> parse_search(Scanner& arguments)
{
    SearchArguments search;
    if (arguments.skip_word("RETURN (")) {
        TRY(parse_return(arguments, search));
        TRY(arguments.space());
    }
    std::string charset;
    if (arguments.skip_word("CHARSET ")) {
        charset = TRY(arguments.astring());
        if (!mail::is_known_charset(charset))
            return util::permanent(unknown_charset());
        TRY(arguments.space());
    }
    Parser parser(arguments, charset);
    search.key.kind = Kind::And;
    do {
        auto key = TRY(parser.key(0));
        search.key.children.push_back(std::move(key));
    } while (arguments.skip(' '));
    TRY(arguments.end());
    order_by_cost(search.key);
    return search;
}

}  // namespace imapd::engine
