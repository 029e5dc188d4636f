#include "libnet/dns_config.h"

#include "libconf/main_cf.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

using namespace std::chrono_literals;

std::string problems_of(std::string_view main_cf)
{
    conf::Problems problems;
    auto settings = conf::MainCf::parse(main_cf, "main.cf", "/etc/test", problems);
    net::dns::Config config;
    settings.fill({&config}, problems);
    return problems.to_text();
}

TEST(parameters_become_settings)
{
    conf::Problems problems;
    auto file = conf::MainCf::parse("dns_servers = 192.0.2.1, [::1]:5353\ndns_timeout = 3s\ndns_attempts = 4\n"
                                               "dns_trust_ad = no\ndns_cache_size = 77\n", "main.cf", "/etc/test", problems);
    net::dns::Config config;
    file.fill({&config}, problems);
    EQ(problems.to_text(), "");
    auto settings = config.settings();
    EQ(settings.servers.size(), 2);
    EQ(settings.servers[1], "[::1]:5353");
    EQ(settings.timeout, util::Duration(3s));
    EQ(settings.attempts, 4);
    EQ(settings.trust_ad, net::dns::TrustAd::No);
    EQ(settings.cache_bytes, 77);
}
END_TEST

TEST(servers_are_addresses_and_at_most_eight)
{
    EQ(problems_of(""), "");
    EQ(problems_of("dns_servers = 192.0.2.1, ns.example"),
       "main.cf:1: dns_servers: \"ns.example\" is not the address of a server\n");
    EQ(problems_of("dns_servers = 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1"), "");
    EQ(problems_of("dns_servers = 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1"),
       "main.cf:1: dns_servers: more than 8 servers\n");
}
END_TEST

}  // namespace

SUITE(dns_config, parameters_become_settings, servers_are_addresses_and_at_most_eight)
