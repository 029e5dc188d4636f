#include "tools/tern-tlscheck/told_lookup.h"

#include "libutil/text.h"

#include <algorithm>

namespace tlscheck {

namespace {

// Names as zone files have them where there is none.
std::string_view shown(std::string_view name) { return name.empty() ? "." : name; }

}  // namespace

std::string_view secure_text(bool secure) { return secure ? "secure" : "not secure"; }

smtp::MxAnswer ToldLookup::mx(std::string_view domain)
{
    auto answer = inner_.mx(domain);
    if (answer.status == smtp::LookupStatus::NoData)
        say_(util::concat(domain, ": no MX record (", secure_text(answer.secure), "): mail goes to the domain itself"));
    auto hosts = answer.hosts;
    std::ranges::stable_sort(hosts, {}, &smtp::MxHost::preference);
    for (const smtp::MxHost& host : hosts)
        say_(util::concat(domain, ": MX ", host.preference, ' ', shown(host.name), " (", secure_text(answer.secure), ')'));
    return answer;
}

smtp::SrvAnswer ToldLookup::srv(std::string_view name)
{
    auto answer = inner_.srv(name);
    if (answer.status != smtp::LookupStatus::Found)
        say_(util::concat(name, ": ", answer.text));
    for (const smtp::SrvHost& host : answer.hosts)
        say_(util::concat(name, ": SRV ", host.priority, ' ', host.weight, ' ', host.port, ' ', shown(host.name), " (",
                          secure_text(answer.secure), ')'));
    return answer;
}

std::vector<smtp::AddressAnswer> ToldLookup::addresses(std::span<const std::string> hosts)
{
    auto answers = inner_.addresses(hosts);
    for (std::size_t i = 0; i < answers.size(); ++i)
        if (answers[i].status != smtp::LookupStatus::Found)
            say_(util::concat(hosts[i], ": ", answers[i].text));
    return answers;
}

}  // namespace tlscheck
