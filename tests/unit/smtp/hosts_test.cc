#include "smtp/site/hosts.h"
#include "libnet/hosts_file.h"

#include "tests/unit/smtp/fake_server.h"

#include <map>

using smtp::LookupStatus;

namespace {

struct FakeLookup final : smtp::Lookup {
    smtp::MxAnswer mx(std::string_view domain) override
    {
        asked += util::concat("MX ", domain, ' ');
        return mx_of[std::string(domain)];
    }
    smtp::SrvAnswer srv(std::string_view name) override
    {
        util::append(asked, "SRV ", name, ' ');
        return srv_of[std::string(name)];
    }
    std::vector<smtp::AddressAnswer> addresses(std::span<const std::string> hosts) override
    {
        std::vector<smtp::AddressAnswer> answers;
        for (const std::string& host : hosts) {
            asked += util::concat("A ", host, ' ');
            auto found = address_of.find(host);
            smtp::AddressAnswer none;
            none.status = LookupStatus::NoSuchName;
            none.text = util::concat("no ", host);
            answers.push_back(found == address_of.end() ? none : found->second);
        }
        return answers;
    }
    std::string asked;
    std::map<std::string, smtp::MxAnswer> mx_of;
    std::map<std::string, smtp::SrvAnswer> srv_of;
    std::map<std::string, smtp::AddressAnswer> address_of;
};

struct HostsBed {
    HostsBed() { test::fill(config); }
    void mx(std::vector<smtp::MxHost> hosts)
    {
        lookup.mx_of["example.org"] = {LookupStatus::Found, std::move(hosts), false, ""};
    }
    void mx(LookupStatus status) { lookup.mx_of["example.org"] = {status, {}, false, "why"}; }
    void host(const char* name, std::vector<std::string> addresses)
    {
        lookup.address_of[name] = {LookupStatus::Found, std::move(addresses), false, "", false, ""};
    }
    smtp::HostList find(std::string_view text = "example.org", bool lmtp = false)
    {
        auto destination = smtp::parse_destination(text, 25, lmtp);
        OK(destination);
        return smtp::find_hosts(lookup, rules, *destination);
    }
    std::string order(std::string_view text = "example.org")
    {
        std::string out;
        for (const smtp::Host& one : find(text).hosts)
            util::append(out, out.empty() ? "" : " ", one.address);
        return out;
    }

    FakeLookup lookup;
    smtp::Config config{smtp::Protocol::Smtp};
    smtp::HostRules rules{.config = config, .own = {}, .loop_port = 25, .path_name = "me", .random = {}};
};

TEST(mx_hosts_come_by_preference)
{
    HostsBed bed;
    bed.mx({{20, "b"}, {10, "a"}});
    bed.host("a", {"192.0.2.1", "2001:db8::1"});
    bed.host("b", {"192.0.2.2"});
    EQ(bed.order(), "192.0.2.1 2001:db8::1 192.0.2.2");
    EQ(bed.find().hosts[2].relay(), "b[192.0.2.2]:25");
    bed.config.address_preference.set(smtp::AddressPreference::Ipv6);
    EQ(bed.order(), "2001:db8::1 192.0.2.1 192.0.2.2");
}
END_TEST

TEST(hosts_of_equal_preference_are_shuffled_and_only_they)
{
    HostsBed bed;
    bed.mx({{10, "a"}, {10, "b"}, {20, "c"}});
    bed.host("a", {"192.0.2.1"});
    bed.host("b", {"192.0.2.2"});
    bed.host("c", {"192.0.2.3"});
    std::uint64_t seed = 1;
    bed.rules.random = [&seed] { return seed = seed * 6364136223846793005U + 1442695040888963407U; };
    std::map<std::string, int> seen;
    for (int i = 0; i < 200; ++i)
        ++seen[bed.order()];
    EQ(seen.size(), 2);
    THAT(seen["192.0.2.1 192.0.2.2 192.0.2.3"] > 20 && seen["192.0.2.2 192.0.2.1 192.0.2.3"] > 20);
    bed.config.randomize_addresses.set(false);
    EQ(bed.order(), "192.0.2.1 192.0.2.2 192.0.2.3");
}
END_TEST

constexpr const char* submission = "_submission._tcp.example.org";

TEST(a_service_is_where_its_srv_records_say)
{
    HostsBed bed;
    OK(bed.config.use_srv_lookup.read("submission, lmtp"));
    bed.lookup.srv_of[submission] = {LookupStatus::Found, {{20, 0, 587, "c"}, {10, 1, 588, "b"}, {10, 5, 589, "a"}}, true, ""};
    bed.host("a", {"192.0.2.1", "2001:db8::1"});
    bed.host("b", {"192.0.2.2"});
    bed.host("c", {"192.0.2.3"});
    auto list = bed.find("example.org:submission");
    EQ(bed.lookup.asked, "SRV _submission._tcp.example.org A a A b A c ");
    EQ(list.hosts.size(), 4u);
    EQ(list.hosts[0].relay(), "a[192.0.2.1]:589");
    EQ(list.hosts[1].relay(), "a[2001:db8::1]:589");
    EQ(list.hosts[2].relay(), "b[192.0.2.2]:588");
    EQ(list.hosts[3].relay(), "c[192.0.2.3]:587");
    THAT(list.hosts[0].by_srv && list.hosts[0].mx_asked && list.hosts[0].mx_secure);
    // The order of addresses is that of each host.
    bed.config.address_preference.set(smtp::AddressPreference::Ipv6);
    EQ(bed.order("example.org:submission"), "2001:db8::1 192.0.2.1 192.0.2.2 192.0.2.3");
    // Not in brackets, not for other services, not without the DNS.
    bed.lookup.asked.clear();
    bed.mx({{10, "a"}});
    bed.find("[a]:submission");
    bed.find("example.org:587");
    bed.find("example.org");
    EQ(bed.lookup.asked, "A a MX example.org A a MX example.org A a ");
    bed.lookup.asked.clear();
    bed.find("example.org:lmtp", true);
    EQ(bed.lookup.asked, "SRV _lmtp._tcp.example.org ");
    bed.lookup.asked.clear();
    bed.config.dns_support_level.set(smtp::DnsLevel::Disabled);
    bed.find("example.org:submission");
    EQ(bed.lookup.asked, "A example.org ");
}
END_TEST

TEST(a_destination_without_port_is_of_the_default_service)
{
    HostsBed bed;
    OK(bed.config.use_srv_lookup.read("smtp"));
    bed.lookup.srv_of["_smtp._tcp.example.org"] = {LookupStatus::Found, {{0, 0, 25, "a"}}, false, ""};
    bed.host("a", {"192.0.2.1"});
    EQ(bed.order(), "192.0.2.1");
    EQ(bed.lookup.asked, "SRV _smtp._tcp.example.org A a ");
}
END_TEST

TEST(srv_hosts_of_one_priority_share_by_weight)
{
    HostsBed bed;
    OK(bed.config.use_srv_lookup.read("submission"));
    bed.lookup.srv_of[submission] = {
        LookupStatus::Found, {{1, 30, 25, "a"}, {1, 10, 25, "b"}, {1, 0, 25, "c"}, {0, 0, 25, "first"}}, false, ""};
    bed.host("a", {"192.0.2.1"});
    bed.host("b", {"192.0.2.2"});
    bed.host("c", {"192.0.2.3"});
    bed.host("first", {"192.0.2.9"});
    std::uint64_t next = 0;
    bed.rules.random = [&] { return next; };
    std::map<std::string, int> seen;
    for (std::uint64_t ticket = 0; ticket <= 40; ++ticket) {
        next = ticket;
        std::string order = bed.order("example.org:submission");
        THAT(order.starts_with("192.0.2.9 "));
        ++seen[order.substr(10, 9)];
    }
    // What is written down is the lot for the place behind the first: 41 tickets, one of them c's.
    EQ(seen["192.0.2.1"], 30);
    EQ(seen["192.0.2.2"], 10);
    EQ(seen["192.0.2.3"], 1);
}
END_TEST

TEST(without_srv_records_mail_goes_back_or_as_other_mail_does)
{
    struct Case {
        LookupStatus status;
        const char* dsn;
        bool permanent;
        bool by_fallback;   // is allowed to fall back
        bool by_ignoring;
    };
    for (const Case& c :
         {Case{LookupStatus::NoData, "5.4.4", true, true, false}, Case{LookupStatus::NoSuchName, "5.4.4", true, true, false},
          Case{LookupStatus::TryAgain, "4.4.3", false, true, true}, Case{LookupStatus::Malformed, "4.4.3", false, true, true},
          Case{LookupStatus::Forged, "4.4.3", false, false, false},
          Case{LookupStatus::Filtered, "4.7.0", false, false, false}}) {
        HostsBed bed;
        OK(bed.config.use_srv_lookup.read("submission"));
        bed.lookup.srv_of[submission] = {c.status, {}, false, "why"};
        bed.mx({{10, "a"}});
        bed.host("a", {"192.0.2.1"});
        auto list = bed.find("example.org:submission");
        THAT(list.hosts.empty() && list.failure);
        EQ(list.failure->status.dsn, c.dsn);
        EQ(list.failure->permanent(), c.permanent);
        bed.config.allow_srv_lookup_fallback.set(true);
        EQ(bed.find("example.org:submission").hosts.size(), c.by_fallback ? 1u : 0u);
        bed.config.allow_srv_lookup_fallback.set(false);
        bed.config.ignore_srv_lookup_error.set(true);
        EQ(bed.find("example.org:submission").hosts.size(), c.by_ignoring ? 1u : 0u);
    }
    // RFC 2782: a domain may say that it has no such service.
    HostsBed bed;
    OK(bed.config.use_srv_lookup.read("submission"));
    bed.config.allow_srv_lookup_fallback.set(true);
    bed.lookup.srv_of[submission] = {LookupStatus::Found, {{0, 0, 0, ""}}, false, ""};
    EQ(bed.find("example.org:submission").failure->status.text, "Domain example.org has no service submission (null SRV)");
    // And hosts may be away.
    bed.lookup.srv_of[submission] = {LookupStatus::Found, {{0, 0, 25, "nowhere"}}, false, ""};
    EQ(bed.find("example.org:submission").failure->status.dsn, "5.4.4");
    // Or this one.
    bed.lookup.srv_of[submission] = {LookupStatus::Found, {{0, 0, 25, "me"}, {1, 0, 25, "a"}}, false, ""};
    bed.host("me", {"192.0.2.7"});
    bed.host("a", {"192.0.2.1"});
    bed.rules.own = {*conf::IpAddress::parse("192.0.2.7")};
    THAT(bed.find("example.org:submission").best_mx_is_self);
    bed.lookup.srv_of[submission] = {LookupStatus::Found, {{0, 0, 587, "me"}, {1, 0, 25, "a"}}, false, ""};
    EQ(bed.order("example.org:submission"), "192.0.2.7 192.0.2.1");   // another program listens there
}
END_TEST

TEST(brackets_and_lmtp_ask_for_no_mx)
{
    HostsBed bed;
    bed.host("mx.example.org", {"192.0.2.1"});
    EQ(bed.order("[mx.example.org]"), "192.0.2.1");
    EQ(bed.lookup.asked, "A mx.example.org ");
    EQ(bed.order("[192.0.2.9]:26"), "192.0.2.9");
    EQ(bed.find("unix:private/x").hosts[0].relay(), "me[private/x]");
    bed.config.dns_support_level.set(smtp::DnsLevel::Disabled);
    EQ(bed.order("mx.example.org"), "192.0.2.1");
    EQ(bed.lookup.asked, "A mx.example.org A mx.example.org ");
}
END_TEST

TEST(a_domain_without_mx_is_its_own_host)
{
    HostsBed bed;
    bed.mx(LookupStatus::NoData);
    bed.host("example.org", {"192.0.2.1"});
    EQ(bed.order(), "192.0.2.1");
}
END_TEST

TEST(failures_have_their_meaning)
{
    struct Case {
        LookupStatus status;
        const char* dsn;
        bool permanent;
    };
    for (const Case& c : {Case{LookupStatus::NoSuchName, "5.4.4", true}, Case{LookupStatus::TryAgain, "4.4.3", false},
                          Case{LookupStatus::Malformed, "4.4.3", false}, Case{LookupStatus::Forged, "4.4.3", false}}) {
        HostsBed bed;
        bed.mx(c.status);
        bed.host("example.org", {"192.0.2.1"});
        auto list = bed.find();
        THAT(list.hosts.empty());
        EQ(list.failure->status.dsn, c.dsn);
        EQ(list.failure->permanent(), c.permanent);
        bed.config.ignore_mx_lookup_error.set(true);
        EQ(bed.find().hosts.empty(), c.permanent || c.status == LookupStatus::Forged);
    }
    HostsBed null_mx;
    null_mx.mx({{0, ""}});
    EQ(null_mx.find().failure->status.dsn, "5.1.10");
    EQ(null_mx.find().failure->status.text, "Domain example.org does not accept mail (nullMX)");
    HostsBed neither;
    neither.mx(LookupStatus::NoData);
    EQ(neither.find().failure->status.dsn, "5.4.4");
}
END_TEST

TEST(mx_hosts_without_address_are_passed_over)
{
    HostsBed bed;
    bed.mx({{10, "gone"}, {20, "b"}});
    bed.host("b", {"192.0.2.2"});
    EQ(bed.order(), "192.0.2.2");
    bed.lookup.address_of.erase("b");
    EQ(bed.find().failure->status.dsn, "5.4.4");
    bed.config.defer_if_no_mx_address_found.set(true);
    EQ(bed.find().failure->status.dsn, "4.4.3");
    EQ(bed.find().failure->status.text, "no gone");
    bed.config.defer_if_no_mx_address_found.set(false);
    bed.lookup.address_of["b"] = {LookupStatus::TryAgain, {}, false, "", false, "later"};
    EQ(bed.find().failure->status.text, "later");
    THAT(!bed.find().failure->permanent());
}
END_TEST

TEST(this_system_among_the_mx_hosts_sends_to_better_ones_only)
{
    HostsBed bed;
    bed.rules.own = {*conf::IpAddress::parse("192.0.2.2")};
    bed.mx({{10, "a"}, {20, "me"}, {20, "c"}, {30, "d"}});
    bed.host("a", {"192.0.2.1"});
    bed.host("me", {"192.0.2.2"});
    bed.host("c", {"192.0.2.3"});
    bed.host("d", {"192.0.2.4"});
    EQ(bed.order(), "192.0.2.1");
    EQ(bed.order("example.org:2525"), "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4");
    bed.mx({{10, "c"}, {10, "me"}});
    auto list = bed.find();
    THAT(list.hosts.empty() && list.best_mx_is_self);
    EQ(list.failure->status.text, "mail for example.org loops back to myself");
    EQ(list.failure->status.dsn, "5.4.6");
}
END_TEST

TEST(the_list_is_cut_and_both_families_stay_in_it)
{
    HostsBed bed;
    bed.mx({{10, "a"}, {20, "b"}});
    bed.host("a", {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6"});
    bed.host("b", {"2001:db8::1"});
    EQ(bed.order(), "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 2001:db8::1");
    bed.config.balance_inet_protocols.set(false);
    EQ(bed.order(), "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5");
    bed.config.mx_address_limit.set(0);
    EQ(bed.find().hosts.size(), 7);
}
END_TEST

TEST(very_many_mx_hosts_are_cut)
{
    HostsBed bed;
    std::vector<smtp::MxHost> many;
    for (std::uint16_t i = 0; i <= smtp::max_mx_hosts; ++i)   // the worst first
        many.insert(many.begin(), {i, "h" + std::to_string(i)});
    bed.mx(many);
    (void)bed.find();
    THAT(bed.lookup.asked.find("h99 ") != std::string::npos);
    THAT(bed.lookup.asked.find("h100 ") == std::string::npos);
}
END_TEST

TEST(the_hosts_file_is_read_as_hosts_5_says)
{
    constexpr std::string_view text =
        "127.0.0.1 localhost\n# 192.0.2.9 mx\n192.0.2.1\tmx.example MX # mx2\n::1 ip6 mx\nnonsense mx\n192.0.2.1 mx\n";
    auto found = net::addresses_in_hosts(text, "mx");
    EQ(found.size(), 2);
    EQ(found[0], "192.0.2.1");
    EQ(found[1], "::1");
    THAT(net::addresses_in_hosts(text, "mx2").empty());
    THAT(net::addresses_in_hosts("", "mx").empty());
}
END_TEST

}  // namespace

SUITE(hosts, a_service_is_where_its_srv_records_say, a_destination_without_port_is_of_the_default_service,
      srv_hosts_of_one_priority_share_by_weight, without_srv_records_mail_goes_back_or_as_other_mail_does,
      mx_hosts_come_by_preference, hosts_of_equal_preference_are_shuffled_and_only_they, brackets_and_lmtp_ask_for_no_mx,
      a_domain_without_mx_is_its_own_host, failures_have_their_meaning, mx_hosts_without_address_are_passed_over,
      this_system_among_the_mx_hosts_sends_to_better_ones_only, the_list_is_cut_and_both_families_stay_in_it,
      very_many_mx_hosts_are_cut, the_hosts_file_is_read_as_hosts_5_says)
