// Lists of patterns.
#include "libconf/match_list.h"

#include "libconf/main_cf.h"
#include "libconf/words.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <functional>

namespace conf {

using util::concat;
using util::Result;

namespace {

struct RawPattern {
    bool negated = false;
    std::string_view text;
};

using Take = std::function<Result<void>(RawPattern)>;

Result<void> each_pattern(const std::vector<std::string>& words, bool negated, int depth, const Take& take);

Result<void> each_in_file(const std::string& path, bool negated, int depth, const Take& take)
{
    if (depth >= max_list_file_depth)
        return util::invalid(concat(path, ": files within files, more than ", max_list_file_depth, " deep"));
    std::string text = TRY(util::sys::read_file(path, max_configuration_size));
    int number = 0;
    for (std::string_view line : util::split(text, '\n')) {
        ++number;
        line = util::trim(line.substr(0, line.find('#')));
        auto words = parse_words(line);
        if (!words)
            return words.take_error().in(concat(path, ':', number));
        auto taken = each_pattern(*words, negated, depth + 1, take);
        if (!taken)
            return taken.take_error().in(concat(path, ':', number));
    }
    return {};
}

Result<void> each_pattern(const std::vector<std::string>& words, bool negated, int depth, const Take& take)
{
    for (std::string_view word : words) {
        bool without = negated;
        while (word.starts_with('!')) {
            without = !without;
            word.remove_prefix(1);
        }
        if (word.empty())
            return util::invalid("a pattern is wanted after '!'");
        if (word.starts_with('/'))
            TRY(each_in_file(std::string(word), without, depth, take));
        else
            TRY(take({without, word}));
    }
    return {};
}

util::Error too_many() { return util::invalid(concat("more than ", max_list_patterns, " patterns")); }

}  // namespace

Result<Networks> Networks::parse(const std::vector<std::string>& patterns)
{
    Networks networks;
    auto taken = each_pattern(patterns, false, 0, [&](RawPattern raw) -> Result<void> {
        if (networks.patterns_.size() >= max_list_patterns)
            return too_many();
        Pattern pattern;
        pattern.negated = raw.negated;
        auto network = Network::parse(raw.text);
        if (network)
            pattern.network = *network;
        else if (looks_like_table(raw.text))
            pattern.table = TRY(open_table(raw.text));
        else
            return network.take_error();
        networks.patterns_.push_back(std::move(pattern));
        return {};
    });
    if (!taken)
        return taken.take_error();
    return networks;
}

Result<bool> Networks::contains(const IpAddress& address)
{
    for (const Pattern& pattern : patterns_) {
        bool matched;
        if (pattern.table) {
            Answer answer = TRY(pattern.table->lookup(address.to_text()));
            matched = answer.has_value();
        } else {
            matched = pattern.network.contains(address);
        }
        if (matched)
            return !pattern.negated;
    }
    return false;
}

Result<Domains> Domains::parse(const std::vector<std::string>& patterns, Subdomains subdomains)
{
    Domains domains;
    domains.subdomains_ = subdomains;
    auto taken = each_pattern(patterns, false, 0, [&](RawPattern raw) -> Result<void> {
        if (domains.patterns_.size() >= max_list_patterns)
            return too_many();
        Pattern pattern;
        pattern.negated = raw.negated;
        if (raw.text.find(':') != std::string_view::npos && !raw.text.starts_with('['))
            pattern.table = TRY(open_table(raw.text));
        else
            pattern.domain = util::lower(raw.text);
        domains.patterns_.push_back(std::move(pattern));
        return {};
    });
    if (!taken)
        return taken.take_error();
    return domains;
}

Result<bool> Domains::matches(const Pattern& pattern, std::string_view domain) const
{
    if (pattern.table) {
        std::string_view key = domain;
        while (true) {
            Answer answer = TRY(pattern.table->lookup_domain(key));
            if (answer)
                return true;
            // Then example.org or .example.org for sub.example.org.
            std::size_t dot = key.find('.', 1);
            if (dot == std::string_view::npos || domain.starts_with('['))
                return false;
            key = key.substr(subdomains_ == Subdomains::Always ? dot + 1 : dot);
            if (key.size() <= 1)
                return false;
        }
    }
    if (domain == pattern.domain)
        return true;
    std::string_view parent = pattern.domain;
    if (!parent.starts_with('.') && subdomains_ == Subdomains::ByDot)
        return false;
    if (parent.starts_with('.'))
        parent.remove_prefix(1);
    return domain.size() > parent.size() + 1 && domain.ends_with(parent) &&
           domain[domain.size() - parent.size() - 1] == '.';
}

Result<bool> Domains::contains(std::string_view domain)
{
    if (domain.empty())
        return false;
    std::string name = util::lower(domain);
    for (const Pattern& pattern : patterns_) {
        bool matched = TRY(matches(pattern, name));
        if (matched)
            return !pattern.negated;
    }
    return false;
}

namespace {

// Could it be a host name, or a domain with its dot?  What could be an address is none.
bool looks_like_name(std::string_view text)
{
    std::size_t label = text.rfind('.') + 1;  // 0 without a dot
    bool letters =
        text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") == std::string_view::npos;
    return letters && label < text.size() && !util::is_digit(text[label]);
}

}  // namespace

Result<Clients> Clients::parse(const std::vector<std::string>& patterns, Domains::Subdomains subdomains)
{
    Clients clients;
    auto taken = each_pattern(patterns, false, 0, [&](RawPattern raw) -> Result<void> {
        if (clients.patterns_.size() >= max_list_patterns)
            return too_many();
        Pattern pattern;
        pattern.negated = raw.negated;
        std::vector<std::string> one{std::string(raw.text)};
        bool table = looks_like_table(raw.text);
        if (table || !looks_like_name(raw.text))
            pattern.network = TRY(Networks::parse(one));
        if (table || looks_like_name(raw.text))
            pattern.domain = TRY(Domains::parse(one, subdomains));
        clients.patterns_.push_back(std::move(pattern));
        return {};
    });
    if (!taken)
        return taken.take_error();
    return clients;
}

Result<bool> Clients::contains(std::string_view name, std::string_view address)
{
    auto parsed = IpAddress::parse(address);
    bool named = !name.empty() && name != "unknown";
    for (Pattern& pattern : patterns_) {
        bool matched = parsed.ok() && TRY(pattern.network.contains(*parsed));
        if (!matched && named)
            matched = TRY(pattern.domain.contains(name));
        if (matched)
            return !pattern.negated;
    }
    return false;
}

}  // namespace conf
