// Lists of clients and domains that are asked for by DNS.
#include "smtpd/dns_list.h"

#include "libconf/expand.h"
#include "libmail/dsn_status.h"
#include "libnet/dns_name.h"
#include "libutil/text.h"

#include <algorithm>

namespace smtpd {

namespace {

// "1.2.[3;4..5].6" at the dots that separate octets.
std::vector<std::string_view> split_octets(std::string_view text)
{
    std::vector<std::string_view> octets;
    std::size_t begin = 0;
    bool inside = false;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        if (i == text.size() || (text[i] == '.' && !inside)) {
            octets.push_back(text.substr(begin, i - begin));
            begin = i + 1;
        } else if (text[i] == '[' || text[i] == ']') {
            inside = text[i] == '[';
        }
    }
    return octets;
}

}  // namespace

util::Result<AddressPattern> AddressPattern::parse(std::string_view text)
{
    auto octets = split_octets(text);
    AddressPattern pattern;
    if (octets.size() != pattern.octets_.size())
        return util::invalid(util::concat("not four octets: ", util::printable(text, 100)));
    for (std::size_t i = 0; i < octets.size(); ++i)
        pattern.octets_[i] = TRY(parse_octet(octets[i]));
    return pattern;
}

util::Result<std::vector<AddressPattern::Range>> AddressPattern::parse_octet(std::string_view text)
{
    auto wrong = [&] { return util::invalid(util::concat("not an octet or a list of them: ", util::printable(text, 100))); };
    std::string_view list = text;
    if (list.starts_with('[')) {
        if (!list.ends_with(']'))
            return wrong();
        list = list.substr(1, list.size() - 2);
    } else if (list.find_first_not_of("0123456789") != std::string_view::npos) {
        return wrong();
    }
    std::vector<Range> ranges;
    for (std::string_view member : util::split(list, ';')) {
        auto dots = member.find("..");
        auto first = util::parse_unsigned(member.substr(0, dots), 255);
        auto last = dots == std::string_view::npos ? first : util::parse_unsigned(member.substr(dots + 2), 255);
        if (!first.ok() || !last.ok() || *first > *last)
            return wrong();
        ranges.push_back({std::uint8_t(*first), std::uint8_t(*last)});
    }
    return ranges;
}

bool AddressPattern::matches(std::string_view text) const
{
    auto address = conf::IpAddress::parse(text);
    if (!address.ok() || address->length != 4)
        return false;
    for (std::size_t i = 0; i < octets_.size(); ++i) {
        std::uint8_t octet = address->bytes[i];
        if (std::ranges::none_of(octets_[i], [&](Range range) { return octet >= range.first && octet <= range.last; }))
            return false;
    }
    return true;
}

util::Result<DnsList> DnsList::parse(std::string_view text)
{
    DnsList list;
    list.text = text;
    auto equals = text.find('=');
    auto domain = net::dns::question_name(text.substr(0, equals));
    if (!domain)
        return util::invalid(util::concat("not a domain: ", util::printable(text.substr(0, equals), 100)));
    list.domain = std::move(*domain);
    if (equals != std::string_view::npos)
        list.wanted = TRY(AddressPattern::parse(text.substr(equals + 1)));
    return list;
}

bool DnsList::is_listing(const std::vector<std::string>& addresses) const
{
    return std::ranges::any_of(addresses, [&](const std::string& address) { return !wanted || wanted->matches(address); });
}

std::string DnsList::name_for(const conf::IpAddress& client) const
{
    std::string reverse = net::dns::reverse_name(client);
    std::string_view suffix = client.length == 4 ? "in-addr.arpa" : "ip6.arpa";
    return reverse.substr(0, reverse.size() - suffix.size()) + domain;
}

std::string DnsList::name_for(std::string_view asked) const
{
    return util::concat(asked, '.', domain);
}

util::Result<ListedReply> expand_listed(std::string_view reply_template, const ListedFacts& facts)
{
    std::vector<std::pair<std::string_view, std::string>> values = facts.session;
    values.emplace_back("rbl_code", util::concat(facts.code));
    values.emplace_back("rbl_class", facts.class_name);
    values.emplace_back("rbl_domain", facts.list_domain);
    values.emplace_back("rbl_reason", util::printable(facts.reason, 500));
    values.emplace_back("rbl_txt", util::printable(facts.reason, 500));
    values.emplace_back("rbl_what", util::printable(facts.what, 500));
    // What comes from outside is text, not more macros.
    for (auto& entry : values) {
        std::string plain;
        for (char c : entry.second)
            plain += c == '$' ? "$$" : std::string(1, c);
        entry.second = std::move(plain);
    }
    std::string text = TRY(conf::expand(reply_template, [&](std::string_view name) {
        auto found = std::ranges::find(values, name, [](const auto& entry) { return entry.first; });
        return found != values.end() ? std::optional<std::string_view>(found->second) : std::nullopt;
    }));
    auto [code, rest] = util::split_first(text, ' ');
    auto number = util::parse_unsigned(code, 599);
    if (!number.ok() || *number < 400)
        return util::invalid(util::concat("does not begin with a code of 4NN or 5NN: ", util::printable(text, 100)));
    rest = util::trim(rest);
    std::string_view dsn = mail::leading_dsn_status(rest);
    return ListedReply{int(*number), std::string(dsn), std::string(util::trim(rest.substr(dsn.size())))};
}

}  // namespace smtpd
