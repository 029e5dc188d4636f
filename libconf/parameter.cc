// The types of parameters.
#include "libconf/parameter.h"

#include "libconf/table.h"
#include "libconf/words.h"
#include "libutil/text.h"

#include <algorithm>

namespace conf {

using util::concat;
using util::Result;

Section::~Section() = default;
void Section::prepare(const MainCf&) {}
void Section::verify(const MainCf&, Problems&) const {}
void Section::check(const MainCf&, Problems&) const {}

Parameter::Parameter(Section* section, std::string_view name, std::string_view default_text,
                     std::string_view description) :
    name_(name), default_text_(default_text), description_(description)
{
    section->parameters_.push_back(this);
}

Parameter::~Parameter() = default;

Result<void> Parameter::read_member(std::string_view name, std::string_view)
{
    return util::invalid(concat(name, " is not a parameter"));
}

// --- text, flags, numbers --------------------------------------------------------------------------

Text::Text(Section* section, std::string_view name, std::string_view default_text,
           std::string_view description) :
    Text(section, name, default_text, TextLimits(), description)
{
}

Text::Text(Section* section, std::string_view name, std::string_view default_text, TextLimits limits,
           std::string_view description) :
    Value(section, name, default_text, description), limits_(limits)
{
}

std::string Text::type() const
{
    std::string out = "text";
    if (limits_.min > 1)
        util::append(out, ", at least ", limits_.min, " bytes");
    else if (limits_.min == 1)
        out += ", not empty";
    if (limits_.max < max_value_length)
        util::append(out, ", at most ", limits_.max, " bytes");
    return out;
}

Result<std::string> Text::parse(std::string_view text) const
{
    if (text.size() < limits_.min)
        return util::invalid(text.empty() ? std::string("it must not be empty")
                                          : concat("at least ", limits_.min, " bytes are wanted"));
    if (text.size() > limits_.max)
        return util::invalid(concat(text.size(), " bytes; at most ", limits_.max, " are allowed"));
    return std::string(text);
}

std::string Flag::type() const { return "yes or no"; }

Result<bool> Flag::parse(std::string_view text) const
{
    if (util::equal_nocase(text, "yes"))
        return true;
    if (util::equal_nocase(text, "no"))
        return false;
    return util::invalid(concat("yes or no is wanted, not \"", util::printable(text, 60), '"'));
}

Count::Count(Section* section, std::string_view name, std::string_view default_text,
             std::string_view description) :
    Count(section, name, default_text, NumberLimits(), description)
{
}

Count::Count(Section* section, std::string_view name, std::string_view default_text,
             NumberLimits limits, std::string_view description) :
    Value(section, name, default_text, description), limits_(limits)
{
}

namespace {

std::string limits_text(const NumberLimits& limits, std::string_view unit)
{
    std::string out;
    if (limits.min > 0)
        util::append(out, ", at least ", limits.min, unit);
    if (limits.max < INT64_MAX)
        util::append(out, ", at most ", limits.max, unit);
    return out;
}

}  // namespace

std::string Count::type() const { return concat("number", limits_text(limits_, "")); }
std::string Size::type() const { return concat("number of bytes", limits_text(limits(), "")); }

Result<std::uint64_t> Count::parse(std::string_view text) const
{
    auto number = util::parse_unsigned(text, INT64_MAX);
    if (!number)
        return util::invalid(concat("a number is wanted, not \"", util::printable(text, 60), '"'));
    if (*number < limits_.min || *number > limits_.max)
        return util::invalid(concat(*number, " is outside of ", limits_.min, " to ", limits_.max));
    return *number;
}

// --- durations ---------------------------------------------------------------------------------------

namespace {

struct Unit {
    std::string_view name;
    std::uint64_t microseconds;
};
constexpr Unit units[] = {
    {"w", 604'800'000'000}, {"d", 86'400'000'000}, {"h", 3'600'000'000},
    {"m", 60'000'000},      {"s", 1'000'000},      {"ms", 1'000},
};

std::string_view unit_of(std::string_view text)
{
    std::size_t digits = 0;
    while (digits < text.size() && util::is_digit(text[digits]))
        ++digits;
    return text.substr(digits);
}

// The unit of a default; that of one with macros is where it ends: ${stress?{10}:{300}}s.
std::string_view unit_of_default(std::string_view text)
{
    std::size_t letters = text.size();
    while (letters > 0 && util::is_alpha(text[letters - 1]))
        --letters;
    std::string_view unit = text.substr(letters);
    for (const Unit& known : units) {
        if (known.name == unit && letters > 0 && (util::is_digit(text[letters - 1]) || text[letters - 1] == '}'))
            return known.name;
    }
    return "s";
}

}  // namespace

Result<util::Duration> parse_duration(std::string_view text, std::string_view unit)
{
    std::string_view letters = unit_of(text);
    auto number = util::parse_unsigned(text.substr(0, text.size() - letters.size()), INT64_MAX);
    for (const Unit& known : units) {
        if (!number || !util::equal_nocase(known.name, letters.empty() ? unit : letters))
            continue;
        if (*number > INT64_MAX / known.microseconds)
            return util::invalid(concat(util::printable(text, 60), " is too long a time"));
        return util::Duration(*number * known.microseconds);
    }
    return util::invalid(concat("a time is wanted (a number, then ms, s, m, h, d or w), not \"",
                                util::printable(text, 60), '"'));
}

std::string format_duration(util::Duration duration)
{
    auto count = std::uint64_t(std::max<std::int64_t>(duration.count(), 0));
    if (count == 0)
        return "0s";
    for (const Unit& unit : units) {
        if (count % unit.microseconds == 0)
            return concat(count / unit.microseconds, unit.name);
    }
    return concat(count / 1000, "ms");
}

Duration::Duration(Section* section, std::string_view name, std::string_view default_text,
                   std::string_view description) :
    Duration(section, name, default_text, DurationLimits(), description)
{
}

Duration::Duration(Section* section, std::string_view name, std::string_view default_text,
                   DurationLimits limits, std::string_view description) :
    Value(section, name, default_text, description), limits_(limits)
{
}

std::string Duration::type() const
{
    std::string out = "time";
    if (limits_.min > util::Duration::zero())
        util::append(out, ", at least ", format_duration(limits_.min));
    if (limits_.max < DurationLimits().max)
        util::append(out, ", at most ", format_duration(limits_.max));
    return out;
}

Result<util::Duration> Duration::parse(std::string_view text) const
{
    auto duration = TRY(parse_duration(text, unit_of_default(default_text())));
    if (duration < limits_.min || duration > limits_.max)
        return util::invalid(concat(util::printable(text, 60), " is outside of ",
                                    format_duration(limits_.min), " to ", format_duration(limits_.max)));
    return duration;
}

// --- paths, lists, choices, families -----------------------------------------------------------------

std::string Path::type() const { return "absolute path"; }

Result<std::string> Path::parse(std::string_view text) const
{
    if (!text.empty() && text.front() != '/')
        return util::invalid(concat("a path that begins with / is wanted, not \"",
                                    util::printable(text, 60), '"'));
    if (text.find('\0') != std::string_view::npos || text.size() > 4095)
        return util::invalid("the path is too long");
    while (text.size() > 1 && text.back() == '/')
        text.remove_suffix(1);
    return std::string(text);
}

std::string Words::type() const { return "list of words"; }

Result<std::vector<std::string>> Words::parse(std::string_view text) const { return parse_words(text); }

std::string TableNames::type() const { return "list of tables"; }

Result<std::vector<std::string>> TableNames::parse(std::string_view text) const
{
    auto names = TRY(parse_words(text));
    TRY(Tables::open(names));
    return names;
}

namespace detail {

std::string choice_type(const std::vector<std::string_view>& names)
{
    std::string out = "one of ";
    for (std::size_t i = 0; i < names.size(); ++i)
        util::append(out, i == 0 ? "" : i + 1 == names.size() ? " and " : ", ",
                     names[i].empty() ? "(empty)" : names[i]);
    return out;
}

Result<std::size_t> parse_choice(const std::vector<std::string_view>& names, std::string_view text)
{
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (util::equal_nocase(names[i], text))
            return i;
    }
    return util::invalid(concat(choice_type(names), " is wanted, not \"", util::printable(text, 60), '"'));
}

}  // namespace detail

TransportNames::TransportNames(std::string_view name) :
    suffix_(concat('_', name.starts_with("default_") ? name.substr(8) : name))
{
}

std::string_view TransportNames::transport_of(std::string_view member) const
{
    if (member.size() <= suffix_.size() || !member.ends_with(suffix_))
        return {};
    std::string_view transport = member.substr(0, member.size() - suffix_.size());
    return transport == "default" ? std::string_view() : transport;
}

std::string TransportNames::member_of(std::string_view transport) const
{
    return concat(transport, suffix_);
}

}  // namespace conf
