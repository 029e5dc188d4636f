// libconf/match_list.h, network.h
#include "libconf/match_list.h"

#include "tests/unit/libconf/temp_dir.h"
#include "tests/unit/suite.h"

namespace {

bool in(conf::Networks& networks, std::string_view address)
{
    auto contained = networks.contains(*conf::IpAddress::parse(address));
    OK(contained);
    return *contained;
}

TEST(networks_match_in_order_with_exclusions)
{
    test::TempDir dir;
    dir.write("nets", "# mine\n10.0.0.0/8 172.16.0.0/12 # more\n!10.9.0.0/16\n");
    auto networks = conf::Networks::parse({"127.0.0.0/8", "!192.0.2.9", "192.0.2.0/24", "[::1]/128", "2001:db8::/33",
                                           dir / "nets", "cidr:{{203.0.113.0/24 x}}"});
    OK(networks);
    for (const char* address : {"127.1.2.3", "192.0.2.8", "::1", "2001:db8:7fff::", "10.1.1.1", "172.31.255.255",
                                "203.0.113.7", "::ffff:127.0.0.1"})
        ck_assert_msg(in(*networks, address), "%s", address);
    for (const char* address : {"128.0.0.1", "192.0.2.9", "::2", "2001:db8:8000::", "172.32.0.0", "203.0.114.0"})
        ck_assert_msg(!in(*networks, address), "%s", address);
    THAT(in(*networks, "10.9.0.1"));  // 10.0.0.0/8 came first
}
END_TEST

TEST(bad_networks_are_named)
{
    for (const char* text : {"10.0.0.0/33", "10.0.0.1/8", "10.0.0", "host.example", "", "!", "1.2.3.4/", "::1/129",
                             "what:x", "/nonexistent/file", "hash:x"})
        ck_assert_msg(!conf::Networks::parse({text}).ok(), "%s", text);
    test::TempDir dir;
    dir.write("loop", util::concat(dir / "loop", "\n"));
    THAT(conf::Networks::parse({dir / "loop"}).error().text.find("files within files") != std::string::npos);
    dir.write("bad", "10.0.0.0/8\n10.0.0.0/99\n");
    THAT(conf::Networks::parse({dir / "bad"}).error().text.find("/bad:2: ") != std::string::npos);
    auto broken = conf::Networks::parse({"127.0.0.1", "hash:/nonexistent/x"});
    OK(broken);
    EQ(broken->contains(*conf::IpAddress::parse("::1")).error().kind, util::Kind::Temporary);
}
END_TEST

TEST(addresses_print_as_they_are_read)
{
    EQ(conf::IpAddress::parse("[IPv6:2001:DB8::1]")->to_text(), "2001:db8::1");
    EQ(conf::IpAddress::parse("::ffff:1.2.3.4")->to_text(), "1.2.3.4");
    EQ(conf::Network::parse("10.0.0.0/9")->to_text(), "10.0.0.0/9");
    EQ(conf::Network::parse("0.0.0.0/0")->contains(*conf::IpAddress::parse("255.1.1.1")), true);
    EQ(conf::Network::parse("0.0.0.0/0")->contains(*conf::IpAddress::parse("::1")), false);
    THAT(!conf::IpAddress::parse(std::string("1.2.3.4\0x", 9)).ok());
    THAT(!conf::IpAddress::parse(std::string(100, '1')).ok());
}
END_TEST

TEST(domains_match_themselves_and_dots_match_subdomains)
{
    auto domains = conf::Domains::parse({"Example.org", "!no.sub.example", ".sub.example", "inline:{in.table=1, .up.table=2}"});
    OK(domains);
    for (const char* domain : {"example.org", "EXAMPLE.ORG", "a.sub.example", "in.table", "x.y.up.table"})
        ck_assert_msg(*domains->contains(domain), "%s", domain);
    for (const char* domain :
         {"a.example.org", "sub.example", "no.sub.example", "up.table", "org", "", "xexample.org", "[1.2.3.4]"})
        ck_assert_msg(!*domains->contains(domain), "%s", domain);
    auto wide = conf::Domains::parse({"example.org", "inline:{in.table=1}"}, conf::Domains::Subdomains::Always);
    OK(wide);
    for (const char* domain : {"example.org", "a.b.example.org", "a.in.table"})
        ck_assert_msg(*wide->contains(domain), "%s", domain);
    for (const char* domain : {"xexample.org", "org", "table"})
        ck_assert_msg(!*wide->contains(domain), "%s", domain);
    auto broken = conf::Domains::parse({"example.org", "fail:x"});
    EQ(*broken->contains("example.org"), true);
    EQ(broken->contains("example.com").error().kind, util::Kind::Temporary);
}
END_TEST

TEST(clients_match_by_name_or_address)
{
    auto list = conf::Clients::parse(
        {"!192.0.2.9", "192.0.2.0/24", "::1", "mx.example", ".example.org", "inline:{x.example.net=1 203.0.113.5=1}"});
    OK(list);
    auto in = [&](std::string_view name, std::string_view address) { return list->contains(name, address).value_or(false); };
    THAT(in("unknown", "192.0.2.1") && in("", "::1") && in("MX.example", "203.0.113.1"));
    THAT(in("a.example.org", "203.0.113.1") && in("x.example.net", "unknown") && in("unknown", "203.0.113.5"));
    THAT(!in("unknown", "192.0.2.9") && !in("a.mx.example", "203.0.113.1") && !in("example.org", "203.0.113.1"));
    THAT(!in("unknown", "unknown") && !in("", ""));
    // "unknown" stands for no name, whatever the list says.
    THAT(!conf::Clients::parse({"unknown"})->contains("unknown", "192.0.2.1").value_or(true));
    for (const char* text : {"10.0.0.0/33", "10.0.0", "what:x", "a b", "exa mple", "host.1"})
        ck_assert_msg(!conf::Clients::parse({text}).ok(), "%s", text);
    auto always = conf::Clients::parse({"example.org"}, conf::Domains::Subdomains::Always);
    THAT(always->contains("a.example.org", "192.0.2.1").value_or(false));
}
END_TEST

TEST(clients_count_as_their_network)
{
    EQ(conf::client_network("192.0.2.77", 32, 84), "192.0.2.77");
    EQ(conf::client_network("192.0.2.77", 28, 84), "192.0.2.64/28");
    EQ(conf::client_network("2001:db8:1:2:ffff:ffff:ffff:ffff", 32, 84), "2001:db8:1:2:ffff:f000::/84");
    EQ(conf::client_network("2001:db8:1:2::9", 32, 64), "2001:db8:1:2::/64");
    EQ(conf::client_network("::ffff:192.0.2.77", 24, 84), "192.0.2.0/24");
    EQ(conf::client_network("192.0.2.77", 0, 0), "0.0.0.0/0");
    EQ(conf::client_network("2001:db8::1", 32, 128), "2001:db8::1");
    EQ(conf::client_network("unknown", 32, 84), "unknown");
}
END_TEST

}  // namespace

SUITE(match_list, networks_match_in_order_with_exclusions, bad_networks_are_named, addresses_print_as_they_are_read,
      domains_match_themselves_and_dots_match_subdomains,
      clients_match_by_name_or_address, clients_count_as_their_network)
