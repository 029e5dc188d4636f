// Entries of smtp_tls_policy_maps.
#include "libtrust/tls_site.h"

#include "libnet/tls.h"

#include <algorithm>

namespace trust {

namespace {

struct LevelName {
    std::string_view name;
    TlsLevel level;
};

constexpr LevelName level_names[] = {
    {"none", TlsLevel::None}, {"may", TlsLevel::May}, {"encrypt", TlsLevel::Encrypt}, {"dane", TlsLevel::Dane},
    {"dane-only", TlsLevel::DaneOnly}, {"fingerprint", TlsLevel::Fingerprint}, {"verify", TlsLevel::Verify},
    {"secure", TlsLevel::Secure},
};

util::Result<void> take_match(TlsSite& site, std::string_view value)
{
    bool fingerprints = site.level == TlsLevel::Fingerprint;
    if (!fingerprints && site.level != TlsLevel::Verify && site.level != TlsLevel::Secure)
        return util::invalid(util::concat("match= means nothing at level ", name_of(site.level)));
    for (std::string_view word : util::split_words(value, fingerprints ? "|" : ":")) {
        if (site.match.size() == max_tls_match)
            return util::invalid("match= has too many values");
        site.match.emplace_back(word);
    }
    return {};
}

util::Result<CipherGrade> grade_of(std::string_view name)
{
    if (util::equal_nocase(name, "high"))
        return CipherGrade::High;
    if (util::equal_nocase(name, "null"))
        return CipherGrade::Null;
    for (std::string_view medium : {"medium", "low", "export"})
        if (util::equal_nocase(name, medium))
            return CipherGrade::Medium;
    return util::invalid(util::concat("unknown grade of ciphers: ", util::printable(name, 40)));
}

util::Result<bool> yes_or_no(std::string_view value)
{
    if (util::equal_nocase(value, "yes"))
        return true;
    if (util::equal_nocase(value, "no"))
        return false;
    return util::invalid("connection_reuse= is yes or no");
}

util::Result<void> take_attribute(TlsSite& site, std::string_view name, std::string_view value)
{
    auto once = [&](bool there) -> util::Result<void> {
        if (there)
            return util::invalid(util::concat(name, "= is there twice"));
        return {};
    };
    if (name == "tafile") {  // several add up
        if (site.level != TlsLevel::Verify && site.level != TlsLevel::Secure)
            return util::invalid(util::concat("tafile= means nothing at level ", name_of(site.level)));
        if (!value.starts_with('/') || site.anchor_files.size() == max_anchor_files)
            return util::invalid(util::concat("tafile= wants a path that begins with /, at most ", max_anchor_files, " times"));
        site.anchor_files.emplace_back(value);
        return {};
    }
    if (name == "match")
        return take_match(site, value);  // several add up
    if (name == "exclude") {
        for (std::string_view word : util::split_words(value, ":")) {
            if (!is_cipher_name(word))
                return util::invalid(util::concat("no cipher: ", util::printable(word, 40)));
            site.exclude.emplace_back(word);
        }
        return {};
    }
    if (name == "protocols") {
        TRY(once(site.protocols.has_value()));
        (void)TRY(net::parse_tls_protocols(value));
        site.protocols = value;
        return {};
    }
    if (name == "ciphers") {
        TRY(once(site.ciphers.has_value()));
        site.ciphers = TRY(grade_of(value));
        return {};
    }
    if (name == "servername") {
        TRY(once(site.servername.has_value()));
        site.servername = util::lower(value);
        return {};
    }
    if (name == "connection_reuse") {
        TRY(once(site.connection_reuse.has_value()));
        site.connection_reuse = TRY(yes_or_no(value));
        return {};
    }
    return util::invalid(util::concat("unknown attribute: ", util::printable(name, 40)));
}

}  // namespace

std::string_view name_of(TlsLevel level)
{
    for (const LevelName& entry : level_names)
        if (entry.level == level)
            return entry.name;
    return "unknown";
}

util::Result<TlsLevel> parse_tls_level(std::string_view name)
{
    for (const LevelName& entry : level_names)
        if (util::equal_nocase(entry.name, name))
            return entry.level;
    return util::invalid(util::concat("unknown TLS level: ", util::printable(name, 40)));
}

bool is_cipher_name(std::string_view text)
{
    return !text.empty() && util::is_alnum(text.front()) && std::ranges::all_of(text, [](char c) {
        return util::is_alnum(c) || c == '-' || c == '_' || c == '+';
    });
}

util::Result<TlsSite> parse_tls_entry(std::string_view text)
{
    if (text.size() > max_tls_entry)
        return util::invalid("the entry is too long");
    auto words = util::split_words(text);
    if (words.empty())
        return util::invalid("the entry has no level");
    TlsSite site;
    site.from_table = true;
    site.level = TRY(parse_tls_level(words.front()));
    if (site.level == TlsLevel::None && words.size() > 1)
        return util::invalid("level none has no attributes");
    for (std::size_t i = 1; i < words.size(); ++i) {
        auto [name, value] = util::split_first(words[i], '=');
        if (value.empty())
            return util::invalid(util::concat("no value: ", util::printable(words[i], 40)));
        TRY(take_attribute(site, util::lower(name), value));
    }
    return site;
}

std::vector<std::string> tls_policy_keys(std::string_view nexthop)
{
    std::string whole = util::lower(nexthop);
    std::vector<std::string> keys{whole};
    bool plain = !whole.empty() && std::ranges::all_of(whole, [](char c) {
        return util::is_alnum(c) || c == '-' || c == '_' || c == '.';
    });
    constexpr std::size_t max_labels = 128;  // a name has no more
    std::string_view rest = whole;
    while (plain && keys.size() < max_labels) {
        std::size_t dot = rest.find('.', 1);
        if (dot == std::string_view::npos || dot + 1 == rest.size())
            break;
        rest.remove_prefix(dot);
        keys.emplace_back(rest);
    }
    return keys;
}

}  // namespace trust
