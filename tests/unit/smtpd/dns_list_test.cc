#include "smtpd/dns_list.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

using namespace smtpd;

TEST(patterns_are_four_octets_or_lists_of_them)
{
    struct { std::string_view pattern, address; bool matches; } cases[] = {
        {"127.0.0.2", "127.0.0.2", true}, {"127.0.0.2", "127.0.0.3", false},
        {"127.0.0.[2..4]", "127.0.0.2", true}, {"127.0.0.[2..4]", "127.0.0.4", true},
        {"127.0.0.[2..4]", "127.0.0.1", false}, {"127.0.0.[2..4]", "127.0.0.5", false},
        {"127.0.0.[2;7..9;11]", "127.0.0.8", true}, {"127.0.0.[2;7..9;11]", "127.0.0.11", true},
        {"127.0.0.[2;7..9;11]", "127.0.0.10", false}, {"127.[0..255].0.2", "127.255.0.2", true},
        {"[1].2.3.4", "1.2.3.4", true}, {"1.2.3.4", "2001:db8::1", false}, {"1.2.3.4", "", false},
    };
    for (const auto& each : cases)
        EQ(AddressPattern::parse(each.pattern)->matches(each.address), each.matches);
    for (std::string_view wrong :
         {"", "1.2.3", "1.2.3.4.5", "1.2.3.", "1.2.3.256", "1.2.3.[4", "1.2.3.4]", "1.2.3.[]", "1.2.3.[5..4]", "1.2.3.[4;]",
          "1.2.3.[4..]", "1.2.3.4;5", "1.2.3.4..5", "1.2.3.x", "1.2.3.[4]5"})
        ck_assert_msg(!AddressPattern::parse(wrong).ok(), "%s", std::string(wrong).c_str());
}
END_TEST

TEST(a_list_asks_for_reversed_addresses_and_for_names)
{
    auto list = DnsList::parse("Zen.example.").take();
    EQ(list.domain, "zen.example");
    EQ(list.name_for(conf::IpAddress::parse("192.0.2.9").take()), "9.2.0.192.zen.example");
    EQ(list.name_for(conf::IpAddress::parse("2001:db8::1").take()),
       "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.zen.example");
    EQ(list.name_for("example.net"), "example.net.zen.example");
    THAT(list.is_listing({"127.0.0.9"}));
    THAT(!list.is_listing({}));
    THAT(!DnsList::parse("zen.example=127.0.0.2")->is_listing({"127.0.0.3", "127.0.0.4"}));
    THAT(DnsList::parse("zen.example=127.0.0.2")->is_listing({"127.0.0.3", "127.0.0.2"}));
    THAT(!DnsList::parse("=127.0.0.2").ok());
    THAT(!DnsList::parse("zen.example=").ok());
}
END_TEST

std::string told(std::string_view reply_template, std::string_view reason = "")
{
    ListedFacts facts;
    facts.list_domain = "zen.example";
    facts.reason = reason;
    facts.what = "192.0.2.9";
    facts.class_name = "Client host";
    facts.session = {{"client_name", "c.example"}};
    auto reply = expand_listed(reply_template, facts);
    return reply.ok() ? util::concat(reply->code, '|', reply->dsn, '|', reply->text) : reply.error().text;
}

TEST(templates_are_expanded_and_texts_from_outside_are_not)
{
    EQ(told("$rbl_code 5.7.8 ${rbl_class} [$(rbl_what)] $rbl_domain $client_name"),
       "554|5.7.8|Client host [192.0.2.9] zen.example c.example");
    EQ(told("450 later${rbl_reason?; $rbl_reason}"), "450||later");
    EQ(told("450 later${rbl_reason?; $rbl_reason}", "${client_name} $$ \r\n$x"), "450||later; ${client_name} $$ \\015\\012$x");
    EQ(told("550 $rbl_txt", "why"), "550||why");
}
END_TEST

TEST(templates_begin_with_a_code_that_refuses)
{
    for (std::string_view wrong : {"no code", "250 fine", "600 more", "55 less", "", "$rbl_what"})
        ck_assert_msg(told(wrong).starts_with("does not begin with a code"), "%s", told(wrong).c_str());
    THAT(told("554 $nonsense").find("nonsense") != std::string::npos);
}
END_TEST

}  // namespace

SUITE(dns_list, patterns_are_four_octets_or_lists_of_them, a_list_asks_for_reversed_addresses_and_for_names,
      templates_are_expanded_and_texts_from_outside_are_not, templates_begin_with_a_code_that_refuses)
