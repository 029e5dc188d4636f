#include "tools/tern-tlscheck/check.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

#include <map>

namespace {

using smtp::LookupStatus;
using tlscheck::Verdict;

struct ToldNames final : smtp::Lookup {
    smtp::MxAnswer mx(std::string_view domain) override { return mx_of[std::string(domain)]; }
    smtp::SrvAnswer srv(std::string_view name) override { return srv_of[std::string(name)]; }
    std::vector<smtp::AddressAnswer> addresses(std::span<const std::string> hosts) override
    {
        std::vector<smtp::AddressAnswer> answers;
        for (const std::string& host : hosts) {
            smtp::AddressAnswer none;
            none.status = LookupStatus::NoSuchName;
            none.text = "no " + host;
            answers.push_back(address_of.contains(host) ? address_of[host] : none);
        }
        return answers;
    }
    std::map<std::string, smtp::MxAnswer> mx_of;
    std::map<std::string, smtp::SrvAnswer> srv_of;
    std::map<std::string, smtp::AddressAnswer> address_of;
};

// What is told of a nexthop, with a main.cf; `connects`: to nobody, since all refuse.
struct Telling {
    explicit Telling(const std::string& text = "")
    {
        conf::Problems problems;
        auto settings = conf::MainCf::parse(text, "main.cf", "/etc/tern", problems);
        settings.fill({&config, &tls}, problems);
        EQ(problems.to_text(), "");
        for (const char* host : {"a", "b"})
            names.address_of[host] = {
                LookupStatus::Found, {util::concat("192.0.2.", host == std::string_view("a") ? 1 : 2)}, false, "", false, ""};
    }
    Verdict check(std::string_view nexthop, bool connects = true)
    {
        lines.clear();
        auto policy = trust::TlsPolicy::open(tls);
        OK(policy);
        auto destinations = smtp::destinations_of(nexthop, config);
        OK(destinations);
        tlscheck::World world{.lookup = names,
                              .hosts = {.config = config, .own = {}, .address_limit = tlscheck::max_addresses + 1}};
        world.tlsa = [](const std::string&, std::uint16_t) { return trust::TlsaAnswer{}; };
        world.connect = [](const smtp::Host& host) -> util::Result<net::Stream> {
            return util::temporary("refused by " + host.relay());
        };
        world.say = [this](std::string_view line) { util::append(lines, line, '\n'); };
        world.sts.txt = [](std::string_view) { return net::dns::Answer<std::string>{.status = net::dns::Status::NoSuchName}; };
        world.our_name = "client.example";
        world.connects = connects;
        return tlscheck::check(*destinations, *policy, world);
    }
    bool told(std::string_view text) const { return lines.find(text) != std::string::npos; }

    ToldNames names;
    smtp::SiteConfig config{smtp::Protocol::Smtp};
    trust::TlsConfig tls;
    std::string lines;
};

TEST(tells_the_hosts_that_a_delivery_finds)
{
    Telling telling("use_srv_lookup = submission\n");
    telling.names.mx_of["example.org"] = {LookupStatus::Found, {{20, "b"}, {10, "a"}, {30, "gone"}}, true, "", ""};
    EQ(telling.check("example.org"), Verdict::Waits);
    EQ(telling.lines.substr(0, telling.lines.find("MTA-STS")), "example.org: MX 10 a (secure)\nexample.org: MX 20 b (secure)\n"
                                                               "example.org: MX 30 gone (secure)\ngone: no gone\n");
    THAT(telling.told("\na[192.0.2.1]:25 (not secure)\n") && telling.told("\n  refused by a[192.0.2.1]:25\nb[192.0.2.2]:25 "));
    telling.names.srv_of["_submission._tcp.example.org"] = {
        LookupStatus::Found, {{1, 0, 588, "b"}, {2, 0, 587, "a"}}, false, ""};
    EQ(telling.check("example.org:submission"), Verdict::Waits);
    THAT(telling.told(
        "_submission._tcp.example.org: SRV 1 0 588 b (not secure)\n_submission._tcp.example.org: SRV 2 0 587 a (not secure)\nb[192.0.2.2]:588 "));
    THAT(!telling.told("MTA-STS"));
    telling.names.mx_of["bare.example"] = {LookupStatus::NoData, {}, false, "", ""};
    telling.names.address_of["bare.example"] = telling.names.address_of["a"];
    EQ(telling.check("bare.example"), Verdict::Waits);
    THAT(telling.told("bare.example: no MX record (not secure): mail goes to the domain itself\n"));
}
END_TEST

TEST(tells_whether_mail_would_wait_or_come_back)
{
    Telling telling;
    telling.names.mx_of["null.example"] = {LookupStatus::Found, {{0, ""}}, false, "", ""};
    EQ(telling.check("null.example"), Verdict::Returned);
    EQ(telling.lines,
       "null.example: MX 0 . (not secure)\n  would be returned: 5.1.10 Domain null.example does not accept mail (nullMX)\n");
    telling.names.mx_of["later.example"] = {LookupStatus::TryAgain, {}, false, "", "not now"};
    EQ(telling.check("later.example"), Verdict::Waits);
    EQ(telling.lines, "  would wait: 4.4.3 not now\n");
    // One after the other; somewhere it waits.
    EQ(telling.check("null.example, later.example"), Verdict::Waits);
    THAT(telling.told("destination null.example\n") && telling.told("destination later.example\n"));
    Telling relayed("smtp_fallback_relay = [a]:26\n");
    relayed.names.mx_of = telling.names.mx_of;
    EQ(relayed.check("null.example"), Verdict::Waits);
    THAT(relayed.told("destination [a]:26\na[192.0.2.1]:26 "));
    EQ(telling.check("unix:private/x"), Verdict::Good);
    EQ(telling.lines, "a Unix socket: there is no TLS\n");
}
END_TEST

TEST(no_more_than_twenty_addresses_are_tried)
{
    Telling telling;
    for (std::size_t count : {tlscheck::max_addresses, tlscheck::max_addresses + 1}) {
        std::vector<std::string> addresses;
        for (std::size_t i = 0; i < count; ++i)
            addresses.push_back(util::concat("192.0.2.", i));
        telling.names.address_of["a"].addresses = addresses;
        telling.check("[a]");
        THAT(telling.told("a delivery tries 5 of these addresses (smtp_mx_address_limit)\n"));
        THAT(telling.told("refused by a[192.0.2.19]:25"));
        THAT(!telling.told("refused by a[192.0.2.20]:25"));
        EQ(telling.told("more addresses are not tried\n"), count > tlscheck::max_addresses);
    }
    telling.check("[a]", false);
    THAT(!telling.told("refused"));
}
END_TEST

}  // namespace

SUITE(check, tells_the_hosts_that_a_delivery_finds, tells_whether_mail_would_wait_or_come_back,
      no_more_than_twenty_addresses_are_tried)
