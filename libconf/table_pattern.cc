// cidr:, regexp: and pcre: tables: rules in their order, the first that matches answers.
//
//   pattern  result          !pattern  result
//   if pattern ... endif     if !pattern ... endif
#include "libconf/logical_lines.h"
#include "libconf/network.h"
#include "libconf/pattern.h"
#include "libconf/table_text_file.h"
#include "libconf/table_types.h"
#include "libconf/words.h"
#include "libutil/text.h"

namespace conf {

using util::concat;
using util::Result;

namespace {

enum class Language { Cidr, Regexp, Pcre };

// A piece of a result: text, or the group of that number.
struct Piece {
    std::string text;
    std::size_t group = 0;
    bool is_group = false;
};

struct Rule {
    enum Kind { Match, If, Endif } kind = Match;
    bool negated = false;
    std::optional<Pattern> pattern;   // regexp and pcre
    std::optional<Network> network;   // cidr
    std::vector<Piece> result;
    std::size_t endif = 0;  // of an If: where its Endif is
    int line = 0;
};

// $1, ${1} and $(1) are groups, $$ is one dollar.
Result<std::vector<Piece>> parse_result(std::string_view text, std::uint32_t groups, bool negated)
{
    std::vector<Piece> pieces(1);
    while (!text.empty()) {
        std::size_t dollar = text.find('$');
        pieces.back().text += text.substr(0, dollar);
        if (dollar == std::string_view::npos)
            break;
        text.remove_prefix(dollar + 1);
        if (text.starts_with('$')) {
            pieces.back().text += '$';
            text.remove_prefix(1);
            continue;
        }
        char close = text.starts_with('{') ? '}' : text.starts_with('(') ? ')' : '\0';
        std::size_t start = close ? 1 : 0, end = start;
        while (end < text.size() && util::is_digit(text[end]))
            ++end;
        auto number = util::parse_unsigned(text.substr(start, end - start), 1000);
        if (!number || (close && (end >= text.size() || text[end] != close)))
            return util::invalid("a number is wanted after '$' in the result (one $ is $$)");
        if (negated)
            return util::invalid("$number in the result of a negated pattern");
        if (*number > groups)
            return util::invalid(concat("the result has $", *number, ", the pattern ", groups, " groups"));
        pieces.push_back({{}, std::size_t(*number), true});
        pieces.push_back({});
        text.remove_prefix(close ? end + 1 : end);
    }
    return pieces;
}

// Letters toggle, as postfix's tables have it.
Result<PatternOptions> parse_flags(std::string_view flags, Language language)
{
    PatternOptions options;
    bool ignored = false;  // X: what it asked for is always on in PCRE2
    for (char flag : flags) {
        bool* option = flag == 'i'   ? &options.ignore_case
                       : flag == 'm' ? &options.multi_line
                       : language == Language::Regexp ? nullptr
                       : flag == 's' ? &options.dot_all
                       : flag == 'x' ? &options.extended
                       : flag == 'A' ? &options.anchored
                       : flag == 'E' ? &options.dollar_end_only
                       : flag == 'U' ? &options.ungreedy
                       : flag == 'X' ? &ignored
                                     : nullptr;
        if (!option)
            return util::invalid(concat("unknown flag '", util::printable({&flag, 1}), '\''));
        *option = !*option;
    }
    return options;
}

// The pattern at the start of `text`, which moves to what follows it.
Result<void> take_pattern(Rule& rule, std::string_view& text, Language language)
{
    if (language == Language::Cidr) {
        std::size_t end = text.find_first_of(" \t");
        rule.network = TRY(Network::parse(text.substr(0, end)));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end);
        return {};
    }
    char delimiter = text.empty() ? 'a' : text.front();
    if (util::is_alnum(delimiter) || delimiter == '\\')
        return util::invalid("/pattern/flags is wanted");
    std::size_t end = 1;
    while (end < text.size() && text[end] != delimiter)
        end += text[end] == '\\' ? 2 : 1;
    if (end >= text.size())
        return util::invalid(concat("no closing '", delimiter, "' after the pattern"));
    std::size_t after = std::min(text.find_first_of(" \t", end), text.size());
    auto options = TRY(parse_flags(text.substr(end + 1, after - end - 1), language));
    rule.pattern = TRY(Pattern::compile(text.substr(1, end - 1), options));
    text.remove_prefix(after);
    return {};
}

Result<Rule> parse_rule(std::string_view text, Language language)
{
    Rule rule;
    text = util::trim(text);
    if (util::equal_nocase(text, "endif")) {
        rule.kind = Rule::Endif;
        return rule;
    }
    if (util::starts_with_nocase(text, "if") && text.size() > 2 &&
        (util::is_space(text[2]) || (language != Language::Cidr && !util::is_alnum(text[2])))) {
        rule.kind = Rule::If;
        text = util::trim_left(text.substr(2));
    }
    while (text.starts_with('!')) {
        rule.negated = !rule.negated;
        text = util::trim_left(text.substr(1));
    }
    TRY(take_pattern(rule, text, language));
    text = util::trim_left(text);
    if (rule.kind == Rule::If && !text.empty())
        return util::invalid(concat("unexpected text after if pattern: \"", util::printable(text, 60), '"'));
    if (rule.kind == Rule::Match && text.empty())
        return util::invalid("the result is missing");
    if (language == Language::Cidr) {
        rule.result.push_back({std::string(text), 0, false});
    } else if (rule.kind == Rule::Match) {
        rule.result = TRY(parse_result(text, rule.pattern->group_count(), rule.negated));
    }
    return rule;
}

// Adds a rule, and ties each Endif to its If.
class RuleBuilder {
public:
    RuleBuilder(Language language, std::string_view file, Problems& problems) :
        language_(language), file_(file), problems_(problems)
    {
    }

    void add(std::string_view text, int line)
    {
        auto rule = parse_rule(text, language_);
        if (!rule)
            return problems_.add(file_, line, rule.error().text);
        rule->line = line;
        if (rule->kind == Rule::If) {
            open_.push_back(rules_.size());
        } else if (rule->kind == Rule::Endif) {
            if (open_.empty())
                return problems_.add(file_, line, "endif without if");
            rules_[open_.back()].endif = rules_.size();
            open_.pop_back();
        }
        rules_.push_back(rule.take());
    }

    std::vector<Rule> finish()
    {
        for (std::size_t index : open_)
            problems_.add(file_, rules_[index].line, "if without endif");
        return std::move(rules_);
    }

private:
    Language language_;
    std::string_view file_;
    Problems& problems_;
    std::vector<Rule> rules_;
    std::vector<std::size_t> open_;
};

class RuleSet {
public:
    RuleSet() = default;
    explicit RuleSet(std::vector<Rule> rules) : rules_(std::move(rules)) {}

    Result<Answer> lookup(std::string_view key, Language language) const
    {
        std::optional<IpAddress> address;
        if (language == Language::Cidr) {
            auto parsed = IpAddress::parse(key);
            if (!parsed)
                return Answer();
            address = *parsed;
        }
        std::vector<std::string_view> groups;
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            const Rule& rule = rules_[i];
            if (rule.kind == Rule::Endif)
                continue;
            bool matched;
            if (address)
                matched = rule.network->contains(*address);
            else
                matched = TRY(match(rule, key, groups));
            matched = matched != rule.negated;
            if (rule.kind == Rule::If) {
                if (!matched)
                    i = rule.endif;
            } else if (matched) {
                return render(rule, groups);
            }
        }
        return Answer();
    }

private:
    static Result<bool> match(const Rule& rule, std::string_view key, std::vector<std::string_view>& groups)
    {
        auto matched = rule.pattern->match(key, groups);
        if (!matched)
            return matched.take_error().in(concat("rule in line ", rule.line));
        return matched;
    }

    static Result<Answer> render(const Rule& rule, const std::vector<std::string_view>& groups)
    {
        std::string out;
        for (const Piece& piece : rule.result) {
            if (!piece.is_group)
                out += piece.text;
            else if (piece.group < groups.size())
                out += groups[piece.group];
            if (out.size() > max_table_value)
                return util::temporary(concat("the result of the rule in line ", rule.line, " is too long"));
        }
        return Answer(std::move(out));
    }

    std::vector<Rule> rules_;
};

class PatternTable final : public TextFileTable {
public:
    // Either a path, or rules that stand in the parameter and are there from the start.
    PatternTable(std::string_view name, std::string path, Language language) :
        TextFileTable(std::string(name), std::move(path)), language_(language)
    {
    }
    PatternTable(std::string_view name, RuleSet rules, Language language) :
        TextFileTable(std::string(name), ""), language_(language), fixed_(true), rules_(std::move(rules))
    {
    }

    bool is_pattern() const override { return true; }
    Result<Answer> lookup(std::string_view key) override
    {
        if (!fixed_)
            TRY(update());
        auto answer = rules_.lookup(key, language_);
        if (!answer)
            return answer.take_error().in(concat("table ", name()));
        return answer;
    }
    Result<void> check() override { return fixed_ ? Result<void>() : TextFileTable::check(); }

private:
    void load(std::string_view text, std::string_view file, Problems& problems) override
    {
        RuleBuilder builder(language_, file, problems);
        for (const LogicalLine& line : logical_lines(text, file, problems))
            builder.add(line.text, line.number);
        std::vector<Rule> rules = builder.finish();
        if (!problems.any())
            rules_ = RuleSet(std::move(rules));
    }

    Language language_;
    bool fixed_ = false;
    RuleSet rules_;
};

OpenedTable open_pattern(std::string_view name, std::string_view what, Language language)
{
    std::string_view text = util::trim(what);
    if (!text.starts_with('{')) {
        std::string path = TRY(table_path(name, what));
        return OpenedTable(std::make_unique<PatternTable>(name, std::move(path), language));
    }
    std::string place = concat("table ", util::printable(name, 100));
    if (text.back() != '}')
        return util::invalid(concat(place, ": '}' is missing"));
    auto words = parse_words(text.substr(1, text.size() - 2), list_separators, true);
    if (!words)
        return words.take_error().in(place);
    Problems problems;
    RuleBuilder builder(language, place, problems);
    int number = 0;
    for (const std::string& word : *words)
        builder.add(word, ++number);
    RuleSet rules(builder.finish());
    TRY(problems.result());
    return OpenedTable(std::make_unique<PatternTable>(name, std::move(rules), language));
}

}  // namespace

OpenedTable open_cidr(std::string_view name, std::string_view what)
{
    return open_pattern(name, what, Language::Cidr);
}
OpenedTable open_regexp(std::string_view name, std::string_view what)
{
    return open_pattern(name, what, Language::Regexp);
}
OpenedTable open_pcre(std::string_view name, std::string_view what)
{
    return open_pattern(name, what, Language::Pcre);
}

}  // namespace conf
