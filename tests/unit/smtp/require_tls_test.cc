#include "smtp/require_tls.h"
#include "tests/unit/smtp/fake_server.h"

using trust::TlsWish;

namespace {

smtp::Host at(std::string address)
{
    smtp::Host host;
    host.name = "mx.example.org";
    host.address = std::move(address);
    host.port = 25;
    return host;
}

struct Policy {
    explicit Policy(std::string_view text, smtp::Protocol protocol = smtp::Protocol::Smtp) : config(protocol)
    {
        test::fill(config);
        if (!text.empty())
            OK(config.requiretls_policy.read(text));
    }
    TlsWish find(std::string_view nexthop, const smtp::Host& host = at("192.0.2.1"))
    {
        auto opened = smtp::RequireTls::open(config);
        OK(opened);
        auto found = opened->find(nexthop, host);
        OK(found);
        return *found;
    }

    smtp::Config config;
};

TEST(the_first_that_says_something_decides)
{
    Policy policy(
        "inline:{{example.org = opportunistic+starttls} {.example.net = opportunistic}}, inline:{{198.51.100.7 = opportunistic}}, enforce");
    EQ(policy.find("example.org"), TlsWish::Encrypted);
    EQ(policy.find("www.example.org"), TlsWish::Verified);
    EQ(policy.find("mail.example.net"), TlsWish::None);
    EQ(policy.find("[198.51.100.7]:26", at("198.51.100.7")), TlsWish::None);
    EQ(policy.find("example.com"), TlsWish::Verified);
    // What says nothing at all says the safe thing.
    EQ(Policy("inline:{{example.org = opportunistic}}").find("example.com"), TlsWish::Verified);
}
END_TEST

TEST(the_defaults_are_strict_to_others_and_lax_at_home)
{
    EQ(Policy("").find("example.org"), TlsWish::Verified);
    EQ(Policy("").find("[127.0.0.1]:10025", at("127.0.0.1")), TlsWish::None);
    EQ(Policy("").find("[::1]:10025", at("::1")), TlsWish::None);
    smtp::Host socket = at("/run/lmtp");
    socket.is_path = true;
    EQ(Policy("enforce").find("unix:/run/lmtp", socket), TlsWish::None);
    EQ(Policy("", smtp::Protocol::Lmtp).find("mail.example.org"), TlsWish::None);
    Policy off("enforce");
    OK(off.config.requiretls_enable.read("no"));
    EQ(off.find("example.org"), TlsWish::None);
}
END_TEST

TEST(what_is_no_level_is_told)
{
    Policy wrong("always");
    THAT(!smtp::RequireTls::open(wrong.config).ok());
    Policy table("inline:{{example.org = always}}");
    auto found = smtp::RequireTls::open(table.config)->find("example.org", at("192.0.2.1"));
    THAT(!found.ok());
    EQ(found.error().kind, util::Kind::Temporary);
}
END_TEST

}  // namespace

SUITE(require_tls, the_first_that_says_something_decides, the_defaults_are_strict_to_others_and_lax_at_home,
      what_is_no_level_is_told)
