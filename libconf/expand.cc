// The macro language: a recursive descent over views of the text; only results are copied.
#include "libconf/expand.h"

#include "libutil/text.h"

#include <algorithm>

namespace conf {

using util::Result;

namespace {

bool is_name_byte(char c) { return util::is_alpha(c) || util::is_digit(c) || c == '_'; }

std::string_view take_name(std::string_view& text)
{
    std::size_t length = 0;
    while (length < text.size() && is_name_byte(text[length]))
        ++length;
    std::string_view name = text.substr(0, length);
    text.remove_prefix(length);
    return name;
}

// What stands between text's first byte, an opening bracket, and the one that closes it; text moves
// behind that one.
Result<std::string_view> take_bracketed(std::string_view& text, char open, char close)
{
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == open) {
            ++depth;
        } else if (text[i] == close && --depth == 0) {
            std::string_view inside = text.substr(1, i - 1);
            text.remove_prefix(i + 1);
            return inside;
        }
    }
    return util::invalid(util::concat("missing '", close, "' in \"", util::printable(text, 60), '"'));
}

bool is_number(std::string_view text)
{
    return !text.empty() && text.size() <= 18 && std::all_of(text.begin(), text.end(), util::is_digit);
}

int compare(std::string_view a, std::string_view b)
{
    if (is_number(a) && is_number(b)) {
        auto left = util::parse_unsigned(a).value_or(0);
        auto right = util::parse_unsigned(b).value_or(0);
        return left < right ? -1 : left > right ? 1 : 0;
    }
    int order = a.compare(b);
    return order < 0 ? -1 : order > 0 ? 1 : 0;
}

// An operator at the start of `text`, which moves behind it: does it hold for `order`?
Result<bool> take_comparison(std::string_view& text, int order)
{
    struct Operator {
        std::string_view name;
        bool less, equal, greater;
    };
    static constexpr Operator operators[] = {
        {"==", false, true, false}, {"!=", true, false, true},   {"<=", true, true, false},
        {">=", false, true, true},  {"<", true, false, false},   {">", false, false, true},
    };
    for (const Operator& op : operators) {
        if (text.starts_with(op.name)) {
            text.remove_prefix(op.name.size());
            return order < 0 ? op.less : order > 0 ? op.greater : op.equal;
        }
    }
    return util::invalid(util::concat("one of == != < <= >= > is wanted before \"",
                                      util::printable(text, 60), '"'));
}

class Expander {
public:
    explicit Expander(const NameLookup& lookup) : lookup_(lookup) {}

    Result<std::string> run(std::string_view text)
    {
        std::string out;
        TRY(append_text(out, text));
        return out;
    }

private:
    Result<void> append_text(std::string& out, std::string_view text);
    Result<void> append_braced(std::string& out, std::string_view inside);
    Result<void> append_comparison(std::string& out, std::string_view inside);
    Result<void> append_branch(std::string& out, std::string_view branches, bool truth);
    Result<void> append_name(std::string& out, std::string_view name);
    Result<std::string> value_of(std::string_view name, bool& known);

    Result<void> append_bytes(std::string& out, std::string_view bytes)
    {
        produced_ += bytes.size();
        if (produced_ > max_expanded_length)
            return util::invalid(util::concat("the expanded value is longer than ",
                                              max_expanded_length, " bytes"));
        out += bytes;
        return {};
    }

    const NameLookup& lookup_;
    int depth_ = 0;
    std::size_t produced_ = 0;  // over all levels, so that values that double each other end soon
    std::size_t lookups_ = 0;   // likewise for values that double each other and are empty
};

Result<void> Expander::append_text(std::string& out, std::string_view text)
{
    if (depth_ >= max_expansion_depth)
        return util::invalid(util::concat("macros are nested more than ", max_expansion_depth,
                                          " deep (does a value contain itself?)"));
    ++depth_;
    while (!text.empty()) {
        std::size_t dollar = text.find('$');
        TRY(append_bytes(out, text.substr(0, dollar)));
        if (dollar == std::string_view::npos)
            break;
        text.remove_prefix(dollar + 1);
        if (text.starts_with('$')) {
            TRY(append_bytes(out, "$"));
            text.remove_prefix(1);
        } else if (text.starts_with('{') || text.starts_with('(')) {
            std::string_view inside = TRY(take_bracketed(text, text[0], text[0] == '{' ? '}' : ')'));
            TRY(append_braced(out, inside));
        } else {
            std::string_view name = take_name(text);
            if (name.empty())
                return util::invalid(util::concat("a name is wanted after '$' before \"",
                                                  util::printable(text, 60), "\" (one $ is $$)"));
            TRY(append_name(out, name));
        }
    }
    --depth_;
    return {};
}

Result<std::string> Expander::value_of(std::string_view name, bool& known)
{
    if (++lookups_ > max_expanded_length / 10)
        return util::invalid("too many macros in one value");
    std::string value;
    std::optional<std::string_view> raw = lookup_(name);
    known = raw.has_value();
    if (known) {
        auto appended = append_text(value, *raw);
        if (!appended) {
            // Only the innermost name is told; a loop would name all hundred levels.
            if (appended.error().text.starts_with('$'))
                return appended.take_error();
            return appended.take_error().in(util::concat('$', name));
        }
    }
    return value;
}

Result<void> Expander::append_name(std::string& out, std::string_view name)
{
    bool known = false;
    std::string value = TRY(value_of(name, known));
    if (!known)
        return util::invalid(util::concat("unknown name in $", name));
    out += value;  // counted when it was made
    return {};
}

Result<void> Expander::append_braced(std::string& out, std::string_view inside)
{
    if (util::trim_left(inside).starts_with('{'))
        return append_comparison(out, util::trim_left(inside));
    std::string_view rest = inside;
    std::string_view name = take_name(rest);
    if (name.empty())
        return util::invalid(util::concat("a name is wanted at the start of \"${",
                                          util::printable(inside, 60), "}\""));
    std::string_view mark = util::trim_left(rest);
    if (mark.empty())
        return append_name(out, name);
    bool known = false;
    std::string value = TRY(value_of(name, known));
    produced_ -= std::min(produced_, value.size());  // it is only asked whether it is empty
    return append_branch(out, mark, !value.empty());
}

Result<void> Expander::append_comparison(std::string& out, std::string_view inside)
{
    std::string left, right;
    std::string_view operand = TRY(take_bracketed(inside, '{', '}'));
    TRY(append_text(left, operand));
    inside = util::trim_left(inside);
    std::string_view from_operator = inside;
    TRY(take_comparison(inside, 0));
    inside = util::trim_left(inside);
    if (!inside.starts_with('{'))
        return util::invalid(util::concat("'{' is wanted before \"", util::printable(inside, 60), '"'));
    operand = TRY(take_bracketed(inside, '{', '}'));
    TRY(append_text(right, operand));
    bool truth = TRY(take_comparison(from_operator, compare(left, right)));
    inside = util::trim_left(inside);
    if (inside.empty())
        return append_bytes(out, truth ? "bool:true" : "");
    return append_branch(out, inside, truth);
}

// `branches` begins with ? or : and is all that follows the condition.
Result<void> Expander::append_branch(std::string& out, std::string_view branches, bool truth)
{
    char mark = branches[0];
    if (mark != '?' && mark != ':')
        return util::invalid(util::concat("'?' or ':' is wanted before \"",
                                          util::printable(branches, 60), '"'));
    std::string_view text = branches.substr(1);
    std::string_view braced = util::trim_left(text);
    if (!braced.starts_with('{'))
        return truth == (mark == '?') ? append_text(out, text) : Result<void>();

    std::string_view first = TRY(take_bracketed(braced, '{', '}'));
    braced = util::trim_left(braced);
    std::string_view second;
    if (mark == '?' && braced.starts_with(':')) {
        braced = util::trim_left(braced.substr(1));
        if (!braced.starts_with('{'))
            return util::invalid(util::concat("'{' is wanted after ':' before \"",
                                              util::printable(braced, 60), '"'));
        second = TRY(take_bracketed(braced, '{', '}'));
        braced = util::trim_left(braced);
    }
    if (!braced.empty())
        return util::invalid(util::concat("unexpected text \"", util::printable(braced, 60), '"'));
    return append_text(out, truth == (mark == '?') ? first : second);
}

}  // namespace

Result<std::string> expand(std::string_view text, const NameLookup& lookup)
{
    return Expander(lookup).run(text);
}

std::vector<std::string_view> mentioned_names(std::string_view text)
{
    std::vector<std::string_view> names;
    while (true) {
        std::size_t dollar = text.find('$');
        if (dollar == std::string_view::npos)
            return names;
        text.remove_prefix(dollar + 1);
        if (text.starts_with('$')) {
            text.remove_prefix(1);
            continue;
        }
        if (text.starts_with('{') || text.starts_with('('))
            text.remove_prefix(1);
        std::string_view name = take_name(text);
        if (!name.empty())
            names.push_back(name);
    }
}

}  // namespace conf
