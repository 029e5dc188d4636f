// tern dns: what name servers say.
#include "tools/tern/dns.h"

#include "libnet/dns_config.h"
#include "libutil/standard_fds.h"
#include "libutil/text.h"
#include "tools/tern/start.h"

#include <algorithm>
#include <sysexits.h>
#include <unistd.h>

namespace tern {

namespace {

using net::dns::Answer;
using net::dns::Resolver;
using net::dns::Status;

template <typename Record, typename ToText>
DnsAnswer to_plain(Answer<Record> answer, ToText to_text)
{
    DnsAnswer plain{answer.status, answer.secure, answer.secure_name, std::move(answer.name),
                    std::chrono::duration_cast<std::chrono::seconds>(answer.ttl).count(), {}, std::move(answer.text)};
    for (const Record& record : answer.records)
        plain.records.push_back(to_text(record));
    return plain;
}

DnsAnswer to_plain(Answer<std::string> answer)
{
    return to_plain(std::move(answer), [](const std::string& record) { return record; });
}

std::string tlsa_text(const net::dns::Tlsa& tlsa)
{
    return util::concat(tlsa.usage, ' ', tlsa.selector, ' ', tlsa.matching, ' ', util::hex(tlsa.data),
                        tlsa.usable() ? "" : " (not usable for SMTP)");
}

struct Kind {
    std::string_view word;
    DnsAnswer (*ask)(Resolver& dns, const std::string& name);
};

constexpr Kind kinds[] = {
    {"addresses", [](Resolver& dns, const std::string& name) { return to_plain(dns.addresses(name)); }},
    {"a", [](Resolver& dns, const std::string& name) { return to_plain(dns.addresses(name, net::dns::Families::V4)); }},
    {"aaaa", [](Resolver& dns, const std::string& name) { return to_plain(dns.addresses(name, net::dns::Families::V6)); }},
    {"cname", [](Resolver& dns, const std::string& name) { return to_plain(dns.cname(name)); }},
    {"mx", [](Resolver& dns, const std::string& name) {
        return to_plain(dns.mx(name), [](const net::dns::Mx& mx) {
            return util::concat(mx.preference, ' ', mx.host.empty() ? "." : mx.host);
        });
    }},
    {"ns", [](Resolver& dns, const std::string& name) { return to_plain(dns.ns(name)); }},
    {"ptr", [](Resolver& dns, const std::string& name) { return to_plain(dns.reverse(name)); }},
    {"soa", [](Resolver& dns, const std::string& name) { return to_plain(dns.soa(name)); }},
    {"srv", [](Resolver& dns, const std::string& name) {
        return to_plain(dns.srv(name), [](const net::dns::Srv& srv) {
            return util::concat(srv.priority, ' ', srv.weight, ' ', srv.port, ' ', srv.host.empty() ? "." : srv.host);
        });
    }},
    {"tlsa", [](Resolver& dns, const std::string& name) {
        constexpr std::uint16_t smtp_port = 25;
        return to_plain(dns.tlsa(name, smtp_port), tlsa_text);
    }},
    {"txt", [](Resolver& dns, const std::string& name) { return to_plain(dns.txt(name)); }},
};

util::Result<Resolver> open_resolver(const Instance& instance)
{
    conf::Problems problems;
    auto settings = conf::MainCf::load(instance.config_directory(), problems);
    net::dns::Config config;
    settings.fill({&config}, problems);
    TRY(problems.result());
    return Resolver::open(config.settings());
}

int dns_status(Status status)
{
    switch (status) {
    case Status::Found:
        return EX_OK;
    case Status::NoData:
    case Status::NoSuchName:
        return EX_UNAVAILABLE;
    case Status::TryAgain:
    case Status::Filtered:
        return EX_TEMPFAIL;
    case Status::Malformed:
    case Status::Bogus:
        return EX_PROTOCOL;
    }
    return EX_SOFTWARE;
}

}  // namespace

std::string dns_to_text(const DnsAnswer& answer)
{
    std::string text(net::dns::name_of(answer.status));
    if (answer.secure)
        text += ", secure";
    else if (answer.secure_name)
        text += ", aliases secure";
    util::append(text, ", ttl=", answer.ttl, ", name=", util::printable(answer.name), '\n');
    if (!answer.text.empty())
        util::append(text, util::printable(answer.text), '\n');
    for (const std::string& record : answer.records)
        util::append(text, util::printable(record, 100'000), '\n');
    return text;
}

std::string dns_to_json(const DnsAnswer& answer)
{
    std::string text = util::concat(
        "{\"status\":", util::json_quote(net::dns::name_of(answer.status)), ",\"secure\":", answer.secure ? "true" : "false",
        ",\"secure_name\":", answer.secure_name ? "true" : "false", ",\"name\":", util::json_quote(answer.name),
        ",\"ttl\":", answer.ttl, ",\"text\":", util::json_quote(answer.text), ",\"records\":[");
    for (const std::string& record : answer.records)
        util::append(text, &record == answer.records.data() ? "" : ",", util::json_quote(record));
    return text + "]}\n";
}

int dns(const Instance& instance, int count, char** words)
{
    std::vector<std::string> arguments(words + 1, words + count);
    bool json = !arguments.empty() && arguments[0] == "-j";
    if (json)
        arguments.erase(arguments.begin());
    auto kind = arguments.size() == 2 ? std::ranges::find(kinds, util::lower(arguments[0]), &Kind::word) : std::end(kinds);
    if (kind == std::end(kinds))
        return complain(EX_USAGE, "usage: tern dns [-j] addresses|a|aaaa|cname|mx|ns|ptr|soa|srv|tlsa|txt name");
    auto resolver = open_resolver(instance);
    if (!resolver.ok())
        return complain(EX_CONFIG, resolver.error().text);
    DnsAnswer answer = kind->ask(*resolver, arguments[1]);
    util::print_out(json ? dns_to_json(answer) : dns_to_text(answer));
    return dns_status(answer.status);
}

}  // namespace tern
