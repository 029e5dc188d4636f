// What the DNS and /etc/hosts say, as the parameters want them asked.
#include "smtp/site/site_lookup.h"

#include "libnet/hosts_file.h"
#include "libutil/sys.h"
#include "libutil/text.h"

namespace smtp {

namespace {

constexpr const char* hosts_path = "/etc/hosts";

LookupStatus status_of(net::dns::Status status)
{
    switch (status) {
    case net::dns::Status::Found: return LookupStatus::Found;
    case net::dns::Status::NoData: return LookupStatus::NoData;
    case net::dns::Status::NoSuchName: return LookupStatus::NoSuchName;
    case net::dns::Status::TryAgain: return LookupStatus::TryAgain;
    case net::dns::Status::Malformed: return LookupStatus::Malformed;
    case net::dns::Status::Bogus: return LookupStatus::Forged;
    case net::dns::Status::Filtered: return LookupStatus::Filtered;
    }
    return LookupStatus::TryAgain;
}

AddressAnswer answer_of(const std::string& host, net::dns::Answer<std::string>&& found)
{
    AddressAnswer answer;
    answer.status = status_of(found.status);
    answer.addresses = std::move(found.records);
    answer.secure = found.secure;
    if (!util::equal_nocase(found.name, host))
        answer.canonical = std::move(found.name);
    answer.canonical_secure = found.secure_name;
    answer.text = std::move(found.text);
    return answer;
}

// Is another source to be asked?  Not after a forgery, nor where a name may be in the DNS, but not now: a hosts file that
// has it is an administrator's word, though.
bool is_open(const AddressAnswer& answer)
{
    return answer.status != LookupStatus::Found && answer.status != LookupStatus::Forged;
}

}  // namespace

Families families_of(const conf::Common& common)
{
    Families families{false, false};
    for (const std::string& word : *common.inet_protocols) {
        families.ipv4 = families.ipv4 || word == "all" || word == "ipv4";
        families.ipv6 = families.ipv6 || word == "all" || word == "ipv6";
    }
    return families;
}

SiteLookup::SiteLookup(const SiteConfig& config, Families families, net::dns::Resolver& resolver)
    : families_(families), resolver_(resolver)
{
    for (const std::string& word : *config.host_lookup)
        if (word == "native" || *config.dns_support_level != DnsLevel::Disabled)
            sources_.push_back(word == "native" ? Source::File : Source::Dns);
    if (sources_.empty())
        sources_.push_back(Source::File);
}

MxAnswer SiteLookup::mx(std::string_view domain)
{
    auto found = resolver_.mx(domain);
    MxAnswer answer;
    answer.status = status_of(found.status);
    answer.secure = found.secure;
    answer.canonical = std::move(found.name);
    answer.text = std::move(found.text);
    for (net::dns::Mx& record : found.records)
        answer.hosts.push_back({record.preference, std::move(record.host)});
    return answer;
}

SrvAnswer SiteLookup::srv(std::string_view name)
{
    auto found = resolver_.srv(name);
    SrvAnswer answer;
    answer.status = status_of(found.status);
    answer.secure = found.secure;
    answer.text = std::move(found.text);
    for (net::dns::Srv& record : found.records)
        answer.hosts.push_back({record.priority, record.weight, record.port, std::move(record.host)});
    return answer;
}

void SiteLookup::ask_dns(std::span<const std::string> hosts, std::vector<AddressAnswer>& answers)
{
    std::vector<std::string> names;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < hosts.size(); ++i)
        if (is_open(answers[i])) {
            names.push_back(hosts[i]);
            places.push_back(i);
        }
    if (names.empty())
        return;
    auto found = resolver_.addresses(std::span<const std::string>(names), families_.for_dns());
    for (std::size_t i = 0; i < found.size(); ++i)
        answers[places[i]] = answer_of(names[i], std::move(found[i]));
}

void SiteLookup::read_file(std::span<const std::string> hosts, std::vector<AddressAnswer>& answers) const
{
    auto text = util::sys::read_file(hosts_path, net::max_hosts_file);
    for (std::size_t i = 0; i < hosts.size(); ++i) {
        if (!is_open(answers[i]))
            continue;
        AddressAnswer answer;
        for (std::string& address : net::addresses_in_hosts(text ? std::string_view(*text) : std::string_view(), hosts[i]))
            if (families_.wants(address))
                answer.addresses.push_back(std::move(address));
        bool first = answers[i].text.empty();
        if (!answer.addresses.empty() || first) {
            answer.status = answer.addresses.empty() ? LookupStatus::NoSuchName : LookupStatus::Found;
            if (answer.addresses.empty())
                answer.text =
                    util::concat("Host or domain name not found. ", util::printable(hosts[i], 255), " is not in ", hosts_path);
            answers[i] = std::move(answer);
        }
    }
}

std::vector<AddressAnswer> SiteLookup::addresses(std::span<const std::string> hosts)
{
    std::vector<AddressAnswer> answers(hosts.size());
    for (Source source : sources_)
        source == Source::Dns ? ask_dns(hosts, answers) : read_file(hosts, answers);
    return answers;
}

}  // namespace smtp
