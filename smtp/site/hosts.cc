// The servers of a destination, in the order in which they are tried.
#include "smtp/site/hosts.h"

#include <algorithm>

namespace smtp {

namespace {

bool is_ipv6(const Host& host) { return host.address.find(':') != std::string::npos; }

HostList failed(Failure why)
{
    HostList list;
    list.failure = std::move(why);
    return list;
}

// What a failed lookup means for mail.  RFC 5321 §5.1: only a name that is known not to exist is final.
Failure lookup_failure(LookupStatus status, std::string text)
{
    Failure why = deferral(status == LookupStatus::Filtered ? "4.7.0" : "4.4.3", std::move(text));
    if (status == LookupStatus::NoSuchName || status == LookupStatus::NoData) {
        why.status.disposition = ipc::Disposition::Bounced;
        why.status.dsn = "5.4.4";
    }
    return why;
}

bool is_absent(LookupStatus status) { return status == LookupStatus::NoSuchName || status == LookupStatus::NoData; }

void add_addresses(HostList& list, const Host& like, const AddressAnswer& answer)
{
    for (const std::string& address : answer.addresses) {
        Host host = like;
        host.address = address;
        host.address_secure = answer.secure;
        host.canonical = answer.canonical;
        host.canonical_secure = answer.canonical_secure;
        list.hosts.push_back(std::move(host));
    }
}

void shuffle(std::vector<Host>& hosts, const std::function<std::uint64_t()>& random)
{
    for (std::size_t left = hosts.size(); left > 1; --left)
        std::swap(hosts[left - 1], hosts[random() % left]);
}

// By preference; within one in random order, the preferred family first.
void arrange(std::vector<Host>& hosts, const HostRules& rules)
{
    if (*rules.config.randomize_addresses && rules.random)
        shuffle(hosts, rules.random);
    AddressPreference preferred = *rules.config.address_preference;
    auto rank = [preferred](const Host& host) {
        return preferred == AddressPreference::Any ? 0 : (preferred == AddressPreference::Ipv6) != is_ipv6(host) ? 1 : 0;
    };
    std::ranges::stable_sort(hosts, [&](const Host& a, const Host& b) {
        return a.preference != b.preference ? a.preference < b.preference : rank(a) < rank(b);
    });
}

// Cuts the list to the limit.  Where all that stay are of one family and the other has some, the last gives way
// to the first of those.
void cut(std::vector<Host>& hosts, const HostRules& rules)
{
    std::size_t limit = rules.address_limit.value_or(*rules.config.mx_address_limit);
    if (limit == 0 || hosts.size() <= limit)
        return;
    if (*rules.config.balance_inet_protocols && limit > 1) {
        bool family = is_ipv6(hosts.front());
        auto first_of_other = std::ranges::find_if(hosts, [family](const Host& host) { return is_ipv6(host) != family; });
        if (first_of_other != hosts.end() && static_cast<std::size_t>(first_of_other - hosts.begin()) >= limit)
            std::swap(hosts[limit - 1], *first_of_other);
    }
    hosts.resize(limit);
}

bool is_own(const Host& host, const HostRules& rules)
{
    auto address = conf::IpAddress::parse(host.address);
    return address && std::ranges::find(rules.own, *address) != rules.own.end();
}

// What TLS policy wants to know of the lookup that led to a host.
void note_mx(Host& host, const MxAnswer& answer)
{
    host.mx_asked = true;
    host.mx_secure = answer.secure;
    host.mx_canonical = answer.canonical;
}

// `asked`: the answer that there are no MX records; null: they were not looked up.
HostList without_mx(Lookup& lookup, const HostRules& rules, const Destination& destination, const MxAnswer* asked)
{
    Host like;
    like.name = destination.name;
    like.port = destination.port;
    if (asked)
        note_mx(like, *asked);
    const std::string names[] = {destination.name};
    auto answer = std::move(lookup.addresses(names).front());
    if (answer.status != LookupStatus::Found)
        return failed(lookup_failure(answer.status, std::move(answer.text)));
    HostList list;
    add_addresses(list, like, answer);
    arrange(list.hosts, rules);
    cut(list.hosts, rules);
    return list;
}

// This system among the MX hosts: mail goes to better ones only (RFC 5321 §5.1).
void leave_out_self(HostList& list, const HostRules& rules, const Destination& destination)
{
    auto self =
        std::ranges::find_if(list.hosts, [&](const Host& host) { return host.port == rules.loop_port && is_own(host, rules); });
    if (self == list.hosts.end())
        return;
    unsigned preference = self->preference;
    std::erase_if(list.hosts, [preference](const Host& host) { return host.preference >= preference; });
    if (!list.hosts.empty())
        return;
    list.best_mx_is_self = true;
    list.failure = refusal("5.4.6", util::concat("mail for ", destination.name, " loops back to myself"));
}

// Hosts that records name, with what is known of them but their addresses, the best first.  `kind`: MX or SRV.  Those of
// one name stay together where `mixes` is false.
HostList with_addresses(Lookup& lookup, const HostRules& rules, const Destination& destination, std::vector<Host> likes,
                        std::string_view kind, bool mixes)
{
    if (likes.size() > max_mx_hosts)
        likes.resize(max_mx_hosts);
    std::vector<std::string> names;
    for (const Host& like : likes)
        names.push_back(like.name);
    auto addresses = lookup.addresses(names);
    HostList list;
    Failure why = deferral("4.4.3", util::concat("no ", kind, " host of ", destination.name, " has an address"));
    bool all_absent = true;
    for (std::size_t i = 0; i < likes.size(); ++i) {
        HostList one;
        add_addresses(one, likes[i], addresses[i]);
        if (!mixes)
            arrange(one.hosts, rules);
        std::ranges::move(one.hosts, std::back_inserter(list.hosts));
        if (addresses[i].status == LookupStatus::Found)
            continue;
        bool absent = is_absent(addresses[i].status);
        if (i == 0 || (all_absent && !absent))
            why = lookup_failure(addresses[i].status, addresses[i].text);
        all_absent = all_absent && absent;
    }
    if (list.hosts.empty()) {
        if (*rules.config.defer_if_no_mx_address_found && why.permanent())
            why = deferral("4.4.3", std::move(why.status.text));
        return failed(std::move(why));
    }
    if (mixes)
        arrange(list.hosts, rules);
    leave_out_self(list, rules, destination);
    cut(list.hosts, rules);
    return list;
}

HostList by_mx(Lookup& lookup, const HostRules& rules, const Destination& destination, MxAnswer answer)
{
    bool null_mx = answer.hosts.size() == 1 && answer.hosts.front().name.empty();
    if (null_mx)
        return failed(refusal("5.1.10", util::concat("Domain ", destination.name, " does not accept mail (nullMX)")));
    std::ranges::stable_sort(answer.hosts, {}, &MxHost::preference);
    std::erase_if(answer.hosts, [](const MxHost& host) { return host.name.empty(); });
    std::vector<Host> likes;
    for (const MxHost& host : answer.hosts) {
        Host like;
        like.name = host.name;
        like.port = destination.port;
        like.preference = host.preference;
        like.mx = true;
        note_mx(like, answer);
        likes.push_back(std::move(like));
    }
    return with_addresses(lookup, rules, destination, std::move(likes), "MX", true);
}

// --- services --------------------------------------------------------------------------------------

// RFC 2782, "Weight": by priority; within one by lot, in which a host has as many tickets as its weight says.
std::vector<SrvHost> by_weight(std::vector<SrvHost> hosts, const HostRules& rules)
{
    std::ranges::stable_sort(hosts, [](const SrvHost& a, const SrvHost& b) {
        return a.priority != b.priority ? a.priority < b.priority : a.weight > b.weight;
    });
    if (!rules.random)
        return hosts;
    // Those without weight come first, so that they have the one ticket that is nobody's.
    std::ranges::stable_sort(hosts, [](const SrvHost& a, const SrvHost& b) {
        return a.priority != b.priority ? a.priority < b.priority : (a.weight > 0) < (b.weight > 0);
    });
    for (auto first = hosts.begin(); first != hosts.end(); ++first) {
        auto end = std::find_if(first, hosts.end(), [&](const SrvHost& host) { return host.priority != first->priority; });
        std::uint64_t sum = 0;
        std::for_each(first, end, [&](const SrvHost& host) { sum += host.weight; });
        std::uint64_t ticket = rules.random() % (sum + 1), given = 0;
        auto drawn = std::find_if(first, end, [&](const SrvHost& host) { return (given += host.weight) >= ticket; });
        std::rotate(first, drawn, drawn + 1);
    }
    return hosts;
}

std::string service_of(const HostRules& rules, const Destination& destination)
{
    return destination.service.empty() ? util::lower(*rules.config.tcp_port) : destination.service;
}

bool is_by_service(const HostRules& rules, const Destination& destination)
{
    const auto& services = *rules.config.use_srv_lookup;
    return !destination.in_brackets && !destination.is_address && *rules.config.dns_support_level != DnsLevel::Disabled &&
           std::ranges::find(services, service_of(rules, destination)) != services.end();
}

// Nothing: as if there was no such service.
std::optional<HostList> by_srv(Lookup& lookup, const HostRules& rules, const Destination& destination)
{
    std::string service = service_of(rules, destination);
    SrvAnswer answer = lookup.srv(util::concat('_', service, "._tcp.", destination.name));
    bool absent = is_absent(answer.status);
    bool failed_now = answer.status == LookupStatus::TryAgain || answer.status == LookupStatus::Malformed;
    if ((*rules.config.allow_srv_lookup_fallback && (absent || failed_now)) ||
        (*rules.config.ignore_srv_lookup_error && failed_now))
        return std::nullopt;
    if (answer.status != LookupStatus::Found)
        return failed(lookup_failure(answer.status, std::move(answer.text)));
    if (answer.hosts.size() == 1 && answer.hosts.front().name.empty())
        return failed(refusal("5.4.4", util::concat("Domain ", destination.name, " has no service ", service, " (null SRV)")));
    std::erase_if(answer.hosts, [](const SrvHost& host) { return host.name.empty(); });
    std::vector<Host> likes;
    for (const SrvHost& host : by_weight(std::move(answer.hosts), rules)) {
        Host like;
        like.name = host.name;
        like.port = host.port;
        like.preference = host.priority;
        like.by_srv = like.mx_asked = true;
        like.mx_secure = answer.secure;
        likes.push_back(std::move(like));
    }
    return with_addresses(lookup, rules, destination, std::move(likes), "SRV", false);
}

}  // namespace

util::Result<std::vector<Destination>> destinations_of(std::string_view nexthop, const SiteConfig& config)
{
    auto port = TRY(parse_port(*config.tcp_port));
    auto destinations = TRY(parse_destinations(nexthop, port, config.lmtp()));
    for (const std::string& word : *config.fallback_relay)
        destinations.push_back(TRY(parse_destination(word, port, config.lmtp())));
    return destinations;
}

HostList find_hosts(Lookup& lookup, const HostRules& rules, const Destination& destination)
{
    Host host;
    host.name = destination.name;
    host.address = destination.name;
    host.port = destination.port;
    HostList list;
    if (destination.kind == Destination::Kind::Path) {
        host.is_path = true;
        host.name = rules.path_name;
        list.hosts.push_back(std::move(host));
        return list;
    }
    if (destination.is_address) {
        list.hosts.push_back(std::move(host));
        return list;
    }
    if (is_by_service(rules, destination))
        if (auto found = by_srv(lookup, rules, destination))
            return std::move(*found);
    if (destination.kind == Destination::Kind::Host || *rules.config.dns_support_level == DnsLevel::Disabled)
        return without_mx(lookup, rules, destination, nullptr);
    MxAnswer answer = lookup.mx(destination.name);
    switch (answer.status) {
    case LookupStatus::Found:
        return by_mx(lookup, rules, destination, std::move(answer));
    case LookupStatus::NoSuchName:
        return failed(lookup_failure(answer.status, std::move(answer.text)));
    case LookupStatus::NoData:
        return without_mx(lookup, rules, destination, &answer);
    case LookupStatus::TryAgain:
    case LookupStatus::Malformed:
    case LookupStatus::Forged:
    case LookupStatus::Filtered:
        break;
    }
    if (*rules.config.ignore_mx_lookup_error && answer.status != LookupStatus::Forged &&
        answer.status != LookupStatus::Filtered)
        return without_mx(lookup, rules, destination, nullptr);
    return failed(lookup_failure(answer.status, std::move(answer.text)));
}

}  // namespace smtp
