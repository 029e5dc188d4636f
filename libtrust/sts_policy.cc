// MTA-STS: records and policies.
#include "libtrust/sts_policy.h"

#include "libutil/text.h"

#include <algorithm>
#include <optional>

namespace trust {

namespace {

constexpr std::string_view version = "STSv1";

// RFC 8461 §3.1 sts-ext-name, §3.2 sts-policy-ext-name.
bool is_field_name(std::string_view text)
{
    return !text.empty() && text.size() <= 32 && util::is_alnum(text.front()) && std::ranges::all_of(text, [](char c) {
        return util::is_alnum(c) || c == '_' || c == '-' || c == '.';
    });
}

bool is_record_value(std::string_view text)
{
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '!' && c <= '~' && c != ';' && c != '='; });
}

bool is_id(std::string_view text)
{
    return !text.empty() && text.size() <= 32 && std::ranges::all_of(text, util::is_alnum);
}

std::string_view trim_blanks(std::string_view text)
{
    while (!text.empty() && util::is_blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && util::is_blank(text.back()))
        text.remove_suffix(1);
    return text;
}

// RFC 5321 §4.1.2 Domain in A-labels, behind "*." if it is a pattern.
bool is_pattern(std::string_view text)
{
    if (text.starts_with("*."))
        text.remove_prefix(2);
    if (text.empty() || text.size() > 253)
        return false;
    for (std::string_view label : util::split(text, '.')) {
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-')
            return false;
        if (!std::ranges::all_of(label, [](char c) { return util::is_alnum(c) || c == '-' || c == '_'; }))
            return false;
    }
    return true;
}

// What has been read of a policy; only the first of each field counts, but of mx.
struct Fields {
    std::optional<std::string_view> version, mode, max_age;
    std::vector<std::string> mx;
};

util::Result<void> take_field(Fields& fields, std::string_view line, std::size_t number)
{
    auto where = [&](std::string_view what) { return util::invalid(util::concat("line ", number, ": ", what)); };
    std::size_t colon = line.find(':');
    if (colon == std::string_view::npos)
        return where("a colon is missing");
    std::string_view name = line.substr(0, colon);
    std::string_view value = trim_blanks(line.substr(colon + 1));
    if (!is_field_name(name))
        return where("no name of a field");
    if (value.empty() || !util::is_utf8(value) ||
        std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }))
        return where("no value of a field");
    auto first = [&](std::optional<std::string_view>& field) {
        if (!field)
            field = value;
    };
    if (name == "version")
        first(fields.version);
    else if (name == "mode")
        first(fields.mode);
    else if (name == "max_age")
        first(fields.max_age);
    else if (name == "mx") {
        if (!is_pattern(value))
            return where("no pattern of hosts");
        if (fields.mx.size() == max_sts_mx)
            return where("too many hosts");
        fields.mx.push_back(util::lower(value));
    }
    return {};
}

util::Result<StsPolicy> policy_of(Fields fields)
{
    if (!fields.version || *fields.version != version)
        return util::invalid("not of version STSv1");
    StsPolicy policy;
    if (!fields.mode)
        return util::invalid("no mode");
    if (*fields.mode == "enforce")
        policy.mode = StsMode::Enforce;
    else if (*fields.mode == "testing")
        policy.mode = StsMode::Testing;
    else if (*fields.mode == "none")
        policy.mode = StsMode::None;
    else
        return util::invalid(util::concat("unknown mode ", util::printable(*fields.mode, 40)));
    if (!fields.max_age)
        return util::invalid("no max_age");
    auto age = fields.max_age->size() <= 10 ? util::parse_unsigned(*fields.max_age)
                                            : util::Result<std::uint64_t>(util::invalid("too long"));
    if (!age.ok())
        return util::invalid(util::concat("max_age is no number: ", util::printable(*fields.max_age, 40)));
    // More than a year is a year: the policy is not lost for it.
    policy.max_age = std::uint32_t(std::min<std::uint64_t>(*age, max_sts_age));
    policy.mx = std::move(fields.mx);
    if (policy.mx.empty() && policy.mode != StsMode::None)
        return util::invalid("no mx");
    return policy;
}

}  // namespace

std::string_view name_of(StsMode mode)
{
    switch (mode) {
    case StsMode::None:
        return "none";
    case StsMode::Testing:
        return "testing";
    case StsMode::Enforce:
        return "enforce";
    }
    return "unknown";
}

util::Result<std::string> parse_sts_record(std::string_view text)
{
    if (text.size() > max_sts_record)
        return util::invalid("the record is too long");
    auto fields = util::split(text, ';');
    if (trim_blanks(fields.front()) != "v=STSv1" || util::is_blank(text.front()))
        return util::invalid("the record does not begin with v=STSv1");
    std::optional<std::string> id;
    for (std::size_t i = 1; i < fields.size(); ++i) {
        std::string_view field = trim_blanks(fields[i]);
        if (field.empty() && i + 1 == fields.size())
            break;  // the semicolon at the end
        auto [name, value] = util::split_first(field, '=');
        if (!is_field_name(name) || !is_record_value(value))
            return util::invalid(util::concat("broken field: ", util::printable(field, 80)));
        if (name != "id" || id)
            continue;
        if (!is_id(value))
            return util::invalid(util::concat("broken id: ", util::printable(value, 80)));
        id = value;
    }
    if (!id)
        return util::invalid("the record has no id");
    return std::move(*id);
}

util::Result<std::string> find_sts_record(std::span<const std::string> records)
{
    const std::string* found = nullptr;
    for (const std::string& record : records) {
        std::string_view rest = record;
        if (!rest.starts_with("v=STSv1"))
            continue;
        rest = trim_blanks(rest.substr(7));
        if (!rest.starts_with(';'))
            continue;
        if (found)
            return util::invalid("there are several records");
        found = &record;
    }
    if (!found)
        return util::not_found("no record of MTA-STS");
    return parse_sts_record(*found);
}

util::Result<StsPolicy> parse_sts_policy(std::string_view text)
{
    if (text.size() > max_sts_policy)
        return util::invalid("the policy is too large");
    Fields fields;
    std::size_t number = 0;
    while (!text.empty()) {
        std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        ++number;
        // Not in the grammar, but at the end of many policies.
        if (!trim_blanks(line).empty())
            TRY(take_field(fields, line, number));
    }
    return policy_of(std::move(fields));
}

std::string to_text(const StsPolicy& policy)
{
    std::string text = util::concat("version: STSv1\nmode: ", name_of(policy.mode), "\nmax_age: ", policy.max_age, '\n');
    for (const std::string& mx : policy.mx)
        util::append(text, "mx: ", mx, '\n');
    return text;
}

bool matches(const StsPolicy& policy, std::string_view host)
{
    std::size_t dot = host.find('.');
    std::string_view parent = dot == std::string_view::npos || dot == 0 ? std::string_view() : host.substr(dot);
    return std::ranges::any_of(policy.mx, [&](std::string_view pattern) {
        if (pattern.starts_with("*."))
            return !parent.empty() && util::equal_nocase(pattern.substr(1), parent);
        return util::equal_nocase(pattern, host);
    });
}

bool is_policy_type(std::string_view content_type)
{
    return util::equal_nocase(util::trim(util::split_first(content_type, ';').first), "text/plain");
}

}  // namespace trust
