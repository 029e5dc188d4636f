// Words of a command line as an IMAP search program.
#include "tools/ternbox/query.h"

#include "libutil/text.h"
#include "tools/ternbox/imap_session.h"
#include "tools/ternbox/times.h"

#include <algorithm>
#include <cctype>
#include <ctime>
#include <iterator>

namespace ternbox {

namespace {

enum class Argument : std::uint8_t { None, Text, Field, Day, Size, Set, Number, Atom };

struct Key {
    std::string_view name;
    Argument argument = Argument::None;
};

constexpr Key keys[] = {
    {"ALL"},                           {"ANSWERED"},                     {"BCC", Argument::Text},
    {"BEFORE", Argument::Day},         {"BODY", Argument::Text},         {"CC", Argument::Text},
    {"DELETED"},                       {"DRAFT"},                        {"EMAILID", Argument::Atom},
    {"FLAGGED"},                       {"FROM", Argument::Text},         {"HEADER", Argument::Field},
    {"KEYWORD", Argument::Atom},       {"LARGER", Argument::Size},       {"MODSEQ", Argument::Number},
    {"NEW"},                           {"OLD"},                          {"OLDER", Argument::Number},
    {"ON", Argument::Day},             {"RECENT"},                       {"SAVEDBEFORE", Argument::Day},
    {"SAVEDON", Argument::Day},        {"SAVEDSINCE", Argument::Day},    {"SEEN"},
    {"SENTBEFORE", Argument::Day},     {"SENTON", Argument::Day},        {"SENTSINCE", Argument::Day},
    {"SINCE", Argument::Day},          {"SMALLER", Argument::Size},      {"SUBJECT", Argument::Text},
    {"TEXT", Argument::Text},          {"TO", Argument::Text},           {"UID", Argument::Set},
    {"UNANSWERED"},                    {"UNDELETED"},                    {"UNDRAFT"},
    {"UNFLAGGED"},                     {"UNKEYWORD", Argument::Atom},    {"UNSEEN"},
    {"YOUNGER", Argument::Number},
};

bool is_set(std::string_view text)
{
    return !text.empty() &&
           std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || c == ':' || c == ',' || c == '*'; });
}

bool is_atom(std::string_view text)
{
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return util::is_printable(c) && c != ' ' && std::string_view("(){%*\"\\]").find(c) == std::string_view::npos;
    });
}

util::Error wrong(std::string_view key, std::string_view what, std::string_view text)
{
    return util::invalid(util::concat(key, ": ", util::printable(text, 100), " is no ", what));
}

std::string imap_day(std::int64_t seconds)
{
    std::time_t time = seconds;
    std::tm parts{};
    if (!::localtime_r(&time, &parts))
        return "1-Jan-1970";
    constexpr std::string_view months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    return util::concat(parts.tm_mday, '-', months[parts.tm_mon % 12], '-', parts.tm_year + 1900);
}

// 10, 10k, 10M, 10G: powers of 1024.
std::optional<std::uint64_t> parse_size(std::string_view text)
{
    unsigned shift = 0;
    if (!text.empty()) {
        auto unit = std::string_view("KMG").find(char(std::toupper(static_cast<unsigned char>(text.back()))));
        if (unit != std::string_view::npos) {
            shift = 10 * unsigned(unit + 1);
            text.remove_suffix(1);
        }
    }
    auto number = util::parse_unsigned(text, std::uint64_t(INT64_MAX) >> shift);
    return number.ok() ? std::optional(*number << shift) : std::nullopt;
}

class QueryParser {
public:
    QueryParser(const std::vector<std::string>& words, std::int64_t now) : words_(words), now_(now) {}

    util::Result<Query> run()
    {
        if (words_.empty())
            return util::invalid("which messages?  \"all\" are all of them");
        if (words_.size() > max_query_words)
            return util::invalid("the query is too long");
        while (at_ < words_.size()) {
            if (util::equal_nocase(words_[at_], "mailbox")) {
                ++at_;
                query_.mailboxes.push_back(TRY(text_argument("mailbox")));
            } else {
                TRY(key());
            }
        }
        if (query_.program.empty())
            query_.program = "ALL";
        if (query_.program.size() > max_query_size)
            return util::invalid("the query is too long");
        return std::move(query_);
    }

private:
    void put(std::string_view text)
    {
        auto& program = query_.program;
        if (!program.empty() && program.back() != '(' && text != ")")
            program += ' ';
        program += text;
    }

    util::Result<std::string> word(std::string_view key)
    {
        if (at_ >= words_.size())
            return util::invalid(util::concat(key, " has no argument"));
        return words_[at_++];
    }

    util::Result<std::string> text_argument(std::string_view key)
    {
        auto text = TRY(word(key));
        if (!util::is_utf8(text) || text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
            return wrong(key, "line of UTF-8", text);
        return text;
    }

    // One key with its operands; `depth` through NOT, OR and parentheses are the words themselves.
    util::Result<void> key()
    {
        auto name = util::upper(words_[at_++]);
        if (name == "(") {
            put("(");
            if (at_ < words_.size() && words_[at_] == ")")
                return util::invalid("nothing stands in the parentheses");
            while (at_ < words_.size() && words_[at_] != ")")
                TRY(key());
            if (at_ >= words_.size())
                return util::invalid("a parenthesis is open");
            ++at_;
            put(")");
            return {};
        }
        if (name == "NOT" || name == "OR") {
            put(name);
            for (int operands = name == "OR" ? 2 : 1; operands > 0; --operands) {
                if (at_ >= words_.size())
                    return util::invalid(util::concat(name, " has no argument"));
                TRY(key());
            }
            return {};
        }
        if (name == "MAILBOX")
            return util::invalid("mailbox NAME does not stand in NOT, OR or parentheses");
        if (is_set(name)) {
            put(name);
            return {};
        }
        auto found = std::ranges::find(keys, name, &Key::name);
        if (found == std::end(keys))
            return util::invalid(util::concat(util::printable(words_[at_ - 1], 100), " is no search key"));
        return argument(*found);
    }

    util::Result<void> argument(const Key& key)
    {
        if (key.argument == Argument::Day)
            return day(key.name);
        put(key.name);
        switch (key.argument) {
        case Argument::None:
        case Argument::Day:
            return {};
        case Argument::Field:
            put(quoted(TRY(text_argument(key.name))));
            [[fallthrough]];
        case Argument::Text:
            put(quoted(TRY(text_argument(key.name))));
            return {};
        case Argument::Size: {
            auto text = TRY(word(key.name));
            auto size = parse_size(text);
            if (!size)
                return wrong(key.name, "size", text);
            put(util::concat(*size));
            return {};
        }
        case Argument::Set: {
            auto text = TRY(word(key.name));
            if (!is_set(text))
                return wrong(key.name, "set of numbers", text);
            put(text);
            return {};
        }
        case Argument::Number: {
            auto text = TRY(word(key.name));
            auto age = parse_age(text);
            if (!age)
                return wrong(key.name, "number", text);
            put(util::concat(*age));
            return {};
        }
        case Argument::Atom: {
            auto text = TRY(word(key.name));
            if (!is_atom(text))
                return wrong(key.name, "keyword", text);
            put(text);
            return {};
        }
        }
        return {};
    }

    // A day as IMAP has it, one as parse_time() has it, or an age; when a message arrived an age is exact
    // to the second (RFC 5032).
    util::Result<void> day(std::string_view name)
    {
        auto text = TRY(word(name));
        auto age = parse_age(text);
        bool has_unit = age && !util::parse_unsigned(text).ok();
        if (has_unit && (name == "BEFORE" || name == "SINCE") && *age > 0) {
            put(name == "BEFORE" ? "OLDER" : "YOUNGER");
            put(util::concat(*age));
            return {};
        }
        put(name);
        if (has_unit) {
            put(imap_day(now_ - std::int64_t(*age)));
        } else if (auto time = parse_time(text.c_str())) {
            put(imap_day(*time));
        } else if (is_atom(text) && std::ranges::count(text, '-') == 2) {
            put(text);   // the server says if it is none
        } else {
            return wrong(name, "date", text);
        }
        return {};
    }

    const std::vector<std::string>& words_;
    std::int64_t now_;
    std::size_t at_ = 0;
    Query query_;
};

}  // namespace

util::Result<Query> parse_query(const std::vector<std::string>& words, std::int64_t now)
{
    return QueryParser(words, now).run();
}

}  // namespace ternbox
