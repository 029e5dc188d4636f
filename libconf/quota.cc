// Quotas in files (see quota.h).
#include "libconf/quota.h"

#include "libutil/sys.h"
#include "libutil/text.h"

#include <algorithm>

namespace conf {

using util::concat;
using util::Result;

namespace {

struct Resource {
    std::string_view name;
    std::optional<std::uint64_t> QuotaLimits::*value;
};

constexpr Resource resources[] = {
    {"storage", &QuotaLimits::storage},
    {"messages", &QuotaLimits::messages},
    {"mailboxes", &QuotaLimits::mailboxes},
};

// The value of a word such as "each-storage=5" for a prefix and a resource.
std::optional<std::string_view> value_of(std::string_view word, std::string_view prefix, std::string_view name)
{
    if (!word.starts_with(prefix))
        return {};
    word.remove_prefix(prefix.size());
    if (!word.starts_with(name) || word.size() == name.size() || word[name.size()] != '=')
        return {};
    return word.substr(name.size() + 1);
}

QuotaLimits limits_of(const std::vector<std::string>& words, std::string_view prefix)
{
    auto limits = quota_among(words, prefix);
    return limits.ok() ? limits.take() : QuotaLimits();
}

}  // namespace

QuotaLimits QuotaLimits::or_else(const QuotaLimits& next) const
{
    QuotaLimits limits = *this;
    for (const Resource& resource : resources)
        if (!(limits.*resource.value))
            limits.*resource.value = next.*resource.value;
    return limits;
}

Result<std::uint64_t> parse_quota_number(std::string_view text)
{
    if (text == "none")
        return no_limit;
    auto number = util::parse_unsigned(text, max_quota);
    if (!number.ok() || *number == 0)
        return util::invalid(
            concat("a number from 1 to ", max_quota, " or none is wanted, not \"", util::printable(text, 40), '"'));
    return *number;
}

Result<std::uint64_t> parse_quota_size(std::string_view text)
{
    constexpr std::string_view units = "KMGT";
    std::size_t unit = text.empty() ? units.npos : units.find(text.back() == 'k' ? 'K' : text.back());
    bool has_unit = unit != units.npos;
    if (text == "none")
        return no_limit;
    auto number = util::parse_unsigned(text.substr(0, text.size() - (has_unit ? 1 : 0)), max_quota);
    unsigned shift = has_unit ? 10 * (static_cast<unsigned>(unit) + 1) : 0;
    if (!number.ok() || *number == 0 || *number > max_quota >> shift)
        return util::invalid(concat("a size such as 500M, 2G or none is wanted, not \"", util::printable(text, 40), '"'));
    return *number << shift;
}

Result<QuotaLimits> quota_among(const std::vector<std::string>& words, std::string_view prefix)
{
    QuotaLimits limits;
    for (const std::string& word : words) {
        for (const Resource& resource : resources) {
            auto value = value_of(word, prefix, resource.name);
            if (!value)
                continue;
            auto number = parse_quota_number(*value);
            if (!number.ok())
                return number.take_error().in(concat(prefix, resource.name));
            limits.*resource.value = *number;
        }
    }
    return limits;
}

void set_quota_among(std::vector<std::string>& words, const QuotaLimits& limits, std::string_view prefix)
{
    for (const Resource& resource : resources) {
        std::erase_if(words, [&](const std::string& word) { return value_of(word, prefix, resource.name).has_value(); });
        if (auto limit = limits.*resource.value)
            words.push_back(*limit == no_limit ? concat(prefix, resource.name, "=none")
                                               : concat(prefix, resource.name, '=', *limit));
    }
}

QuotaLimits DomainQuota::all() const { return limits_of(words, ""); }
QuotaLimits DomainQuota::each() const { return limits_of(words, "each-"); }

// --- the file ----------------------------------------------------------------------------------------

Result<DomainQuotas> parse_domain_quotas(std::string_view text)
{
    if (!text.starts_with(quotas_version_line))
        return util::invalid("it does not begin with \"# tern quotas 1\"");
    text.remove_prefix(quotas_version_line.size());
    DomainQuotas quotas;
    for (int number = 2; !text.empty(); ++number) {
        auto [line, rest] = util::split_first(text, '\n');
        text = rest;
        auto wrong = [&](auto... what) { return util::invalid(concat("line ", number, ": ", what...)); };
        if (line.size() > max_quotas_line)
            return wrong("more than ", max_quotas_line, " bytes");
        auto [name, words] = util::split_first(line, ':');
        bool good = name.size() > 1 && name.front() == '@' && util::lower(name) == name &&
                    std::ranges::all_of(line, [](char c) { return static_cast<unsigned char>(c) > ' ' && c != 127; });
        if (!good)
            return wrong("@domain in lower case and its limits are wanted");
        DomainQuota quota;
        for (std::string_view word : util::split_words(words, ","))
            quota.words.emplace_back(word);
        if (quota.words.empty())
            return wrong("no limits for ", name);
        for (std::string_view prefix : {"", "each-"})
            if (auto limits = quota_among(quota.words, prefix); !limits.ok())
                return wrong(limits.error().text);
        if (!quotas.emplace(name.substr(1), std::move(quota)).second)
            return wrong(name, " is there twice");
    }
    return quotas;
}

std::string format_domain_quotas(const DomainQuotas& quotas)
{
    std::string text(quotas_version_line);
    for (const auto& [domain, quota] : quotas) {
        if (quota.words.empty())
            continue;
        util::append(text, '@', domain, ':');
        std::string_view comma;
        for (const std::string& word : quota.words) {
            util::append(text, comma, word);
            comma = ",";
        }
        text += '\n';
    }
    return text;
}

Result<DomainQuotas> read_domain_quotas(const std::string& path)
{
    auto text = util::sys::read_file(path, max_quotas_size);
    if (!text && text.error().kind == util::Kind::NotFound)
        return DomainQuotas();
    if (!text)
        return text.take_error();
    auto quotas = parse_domain_quotas(*text);
    if (!quotas)
        return quotas.take_error().in(path);
    return quotas;
}

Result<void> write_domain_quotas(const std::string& path, const DomainQuotas& quotas)
{
    return util::sys::replace_file(path, format_domain_quotas(quotas), 0644);
}

Result<const DomainQuota*> DomainQuotasReader::find(std::string_view domain)
{
    auto changed = file_.changed();
    if (!changed.ok()) {
        if (changed.error().kind != util::Kind::NotFound)
            return util::temporary(concat("quotas: ", changed.error().text));
        quotas_.clear();
    } else if (*changed) {
        auto quotas = read_domain_quotas(file_.path());
        if (!quotas.ok()) {
            file_.forget();
            return util::temporary(std::move(quotas.take_error().text));
        }
        quotas_ = quotas.take();
    }
    auto found = quotas_.find(util::lower(domain));
    return found == quotas_.end() ? nullptr : &found->second;
}

}  // namespace conf
