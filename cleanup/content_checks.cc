// ContentChecks: opening tables, parsing answers.
#include "cleanup/content_checks.h"

#include "libutil/text.h"

#include <algorithm>

namespace cleanup {

namespace {

using Do = Action::Kind;

// "name: value", as a field begins.
bool begins_field(std::string_view text)
{
    std::size_t colon = text.find(':');
    if (colon == std::string_view::npos)
        return false;
    std::string_view name = util::trim_right(text.substr(0, colon));
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::string_view what_is_wrong(Do kind, std::string_view text, ActionContext context)
{
    switch (kind) {
    case Do::Bcc:
    case Do::Redirect:
        return text.find('@') == std::string_view::npos || text.find_first_of(" \t,") != std::string_view::npos
                   ? "an address user@domain is wanted" : "";
    case Do::Filter:
        return text.find(':') == std::string_view::npos || text.front() == ':' ? "transport:destination is wanted" : "";
    case Do::Prepend:
    case Do::Replace:
        if (text.empty())
            return "a text is wanted";
        return context == ActionContext::Header && !begins_field(text) ? "\"name: value\" is wanted" : "";
    default:
        return "";
    }
}

}  // namespace

util::Result<conf::Tables> tables_of(const conf::Words& parameter)
{
    auto tables = conf::Tables::open(*parameter);
    if (!tables)
        return tables.take_error().in(parameter.name());
    return tables;
}

Action parse_action(std::string_view answer, ActionContext context)
{
    struct Word {
        std::string_view name;
        Do kind;
    };
    static constexpr Word words[] = {
        {"DUNNO", Do::Dunno}, {"OK", Do::Dunno}, {"BCC", Do::Bcc}, {"DISCARD", Do::Discard},
        {"FILTER", Do::Filter}, {"HOLD", Do::Hold}, {"IGNORE", Do::Ignore}, {"INFO", Do::Info},
        {"PASS", Do::Pass}, {"PREPEND", Do::Prepend}, {"REDIRECT", Do::Redirect}, {"REJECT", Do::Reject},
        {"REPLACE", Do::Replace}, {"STRIP", Do::Strip}, {"WARN", Do::Warn},
    };
    answer = util::trim_left(answer);
    std::size_t end = std::min(answer.find_first_of(" \t"), answer.size());
    std::string_view name = answer.substr(0, end), text = util::trim_left(answer.substr(end));
    for (const Word& word : words) {
        if (!util::equal_nocase(name, word.name))
            continue;
        // Addresses and destinations have no blanks at their end; a line may.
        if (word.kind != Do::Prepend && word.kind != Do::Replace)
            text = util::trim_right(text);
        std::string_view fault = what_is_wrong(word.kind, text, context);
        if (!fault.empty())
            return {Do::Invalid, util::concat("bad ", word.name, " action \"", util::printable(text, 100), "\": ", fault)};
        return {word.kind, std::string(text)};
    }
    return {Do::Invalid, util::concat("unknown action \"", util::printable(answer, 100), '"')};
}

util::Result<std::bitset<256>> parse_characters(std::string_view text)
{
    std::bitset<256> set;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '\\') {
            set.set(static_cast<unsigned char>(text[at]));
            continue;
        }
        constexpr std::string_view letters = "abfnrtv\\", values = "\a\b\f\n\r\t\v\\";
        std::size_t letter = ++at < text.size() ? letters.find(text[at]) : letters.npos;
        if (letter != letters.npos) {
            set.set(static_cast<unsigned char>(values[letter]));
            continue;
        }
        unsigned value = 0;
        std::size_t digits = 0;
        for (; digits < 3 && at < text.size() && text[at] >= '0' && text[at] <= '7'; ++digits)
            value = value * 8 + unsigned(text[at++] - '0');
        if (digits == 0 || value > 255)
            return util::invalid("behind \\ one of a b f n r t v \\ or an octal number up to 377 is wanted");
        --at;
        set.set(value);
    }
    return set;
}

util::Result<ContentChecks> ContentChecks::open(const Config& config)
{
    ContentChecks checks;
    checks.header_ = TRY(tables_of(config.header_checks));
    checks.mime_ = TRY(tables_of(config.mime_header_checks));
    checks.nested_ = TRY(tables_of(config.nested_header_checks));
    checks.body_ = TRY(tables_of(config.body_checks));
    checks.strict_ = config.strict_7bit_headers || config.strict_8bitmime || config.strict_8bitmime_body ||
                     config.strict_mime_encoding_domain;
    for (auto [parameter, set] : {std::pair(&config.message_reject_characters, &checks.rejected_),
                                  std::pair(&config.message_strip_characters, &checks.stripped_)}) {
        auto parsed = parse_characters(**parameter);
        if (!parsed)
            return parsed.take_error().in(parameter->name());
        // Line ends are what keeps a message together.
        if (parsed->test('\r') || parsed->test('\n'))
            return util::invalid(util::concat(parameter->name(), ": \\r and \\n are in every message"));
        *set = *parsed;
    }
    return checks;
}

namespace {

bool is_about_mime(std::string_view lower_name)
{
    static constexpr std::string_view names[] = {"content-description", "content-disposition", "content-id",
                                                 "content-transfer-encoding", "content-type", "mime-version"};
    return std::find(std::begin(names), std::end(names), lower_name) != std::end(names);
}

}  // namespace

conf::Tables& ContentChecks::tables_for(mail::FieldClass field_class, std::string_view lower_name)
{
    std::string_view name = name_for(field_class, lower_name);
    return name == "header_checks" ? header_ : name == "mime_header_checks" ? mime_ : nested_;
}

std::string_view ContentChecks::name_for(mail::FieldClass field_class, std::string_view lower_name) const
{
    if (field_class == mail::FieldClass::Part || is_about_mime(lower_name))
        return "mime_header_checks";
    return field_class == mail::FieldClass::Nested ? "nested_header_checks" : "header_checks";
}

}  // namespace cleanup
