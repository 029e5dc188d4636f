#include "libtrust/sts_policy.h"
#include "tests/unit/suite.h"

namespace {

using trust::StsMode;
using trust::StsPolicy;

std::string id_of(std::string_view text)
{
    auto id = trust::parse_sts_record(text);
    return id.ok() ? *id : "";
}

TEST(reads_records)
{
    struct Case {
        std::string_view text, id;
    };
    for (const Case& c : {Case{"v=STSv1; id=20160831085700Z;", "20160831085700Z"},
                          {"v=STSv1;id=a", "a"},
                          {"v=STSv1 ; \t id=a ; ", "a"},
                          {"v=STSv1; x-y.z=!x; id=b", "b"},
                          {"v=STSv1; id=a; id=b;", "a"},
                          {"v=STSv1; id=12345678901234567890123456789012", "12345678901234567890123456789012"},
                          // No records of MTA-STS, or broken ones.
                          {"v=STSv1;", ""},
                          {"v=STSv1", ""},
                          {"", ""},
                          {"v=stsv1; id=a", ""},
                          {" v=STSv1; id=a", ""},
                          {"v=STSv2; id=a", ""},
                          {"id=a; v=STSv1", ""},
                          {"v=STSv1; id=", ""},
                          {"v=STSv1; id=a-b", ""},
                          {"v=STSv1; id=123456789012345678901234567890123", ""},
                          {"v=STSv1; id=a;; x=y", ""},
                          {"v=STSv1; id=a; x", ""},
                          {"v=STSv1; id=a; x=a b", ""},
                          {"v=STSv1; id=a; x=a=b", ""},
                          {"v=STSv1; id=a; -x=y", ""},
                          {"v=STSv1; id=a; x=\x80", ""}})
        EQ(id_of(c.text), c.id);
    EQ(id_of("v=STSv1; id=a; x=" + std::string(trust::max_sts_record - 17, 'y')), "a");
    EQ(id_of("v=STSv1; id=a; x=" + std::string(trust::max_sts_record - 16, 'y')), "");
}
END_TEST

TEST(finds_the_one_record)
{
    auto find = [](std::vector<std::string> records) { return trust::find_sts_record(records); };
    EQ(*find({"v=spf1 -all", "v=STSv1; id=a", "v=STSv10; id=b", "other"}), "a");
    EQ(find({}).error().kind, util::Kind::NotFound);
    EQ(find({"v=spf1 -all", "v=STSv1 id=a"}).error().kind, util::Kind::NotFound);
    EQ(find({"v=STSv1; id=a", "v=STSv1; id=a"}).error().kind, util::Kind::Invalid);
    EQ(find({"v=STSv1; id=!"}).error().kind, util::Kind::Invalid);
}
END_TEST

TEST(reads_policies)
{
    auto policy = trust::parse_sts_policy("version: STSv1\r\nmode: enforce\r\nmx: Mail.example.com\r\nmx: *.example.net\r\n"
                                          "x-more: any thing \xc3\xa4\r\nmax_age: 604800\r\n");
    OK(policy);
    EQ(policy->mode, StsMode::Enforce);
    EQ(policy->max_age, 604800);
    THAT(policy->mx == std::vector<std::string>({"mail.example.com", "*.example.net"}));
    auto again = trust::parse_sts_policy(trust::to_text(*policy));
    OK(again);
    THAT(*again == *policy);
    // Of what is there twice the first counts, ends of lines may be LF, the last may be missing.
    policy =
        trust::parse_sts_policy("mode:testing\nmode: enforce\nmx:\t a.example  \nmax_age: 1\nmax_age: x\n\nversion: STSv1");
    OK(policy);
    EQ(policy->mode, StsMode::Testing);
    EQ(policy->max_age, 1);
    OK(trust::parse_sts_policy("version: STSv1\nmode: none\nmax_age: 86400\n"));
    EQ(trust::parse_sts_policy("version: STSv1\nmode: none\nmax_age: 9999999999\n")->max_age, trust::max_sts_age);
}
END_TEST

TEST(refuses_what_is_no_policy)
{
    const std::string good = "version: STSv1\nmode: enforce\nmax_age: 1\nmx: a.example\n";
    OK(trust::parse_sts_policy(good));
    auto with = [&](std::string_view from, std::string_view to) {
        std::string text = good;
        std::size_t at = text.find(from);
        CHECK(at != std::string::npos);
        return text.replace(at, from.size(), to);
    };
    for (const std::string& text : {std::string(),
                                    std::string("<html>"),
                                    with("version: STSv1\n", ""),
                                    with("STSv1", "STSv2"),
                                    with("STSv1", "stsv1"),
                                    with("mode: enforce\n", ""),
                                    with("enforce", "Enforce"),
                                    with("enforce", ""),
                                    with("max_age: 1\n", ""),
                                    with("age: 1", "age: -1"),
                                    with("age: 1", "age: 1s"),
                                    with("age: 1", "age: 00000000001"),
                                    with("mx: a.example\n", ""),
                                    with("a.example", "a..example"),
                                    with("a.example", "*"),
                                    with("a.example", "*.*.example"),
                                    with("a.example", "b*.example"),
                                    with("a.example", "a.example."),
                                    with("a.example", "m\xc3\xbcller.example"),
                                    with("a.example", "a.example b.example"),
                                    with("mx: a", "mx a"),
                                    with("mx:", " mx:"),
                                    with("a.example", "a.example\n:x"),
                                    with("a.example", "a.example\nx: \x01"),
                                    with("a.example", "-a.example"),
                                    with("a.example", "a.example\nx: \xff"),
                                    with("a.example", std::string(64, 'a') + ".example")})
        THAT(!trust::parse_sts_policy(text).ok());
    EQ(trust::parse_sts_policy("version: STSv1\nmode nothing\n").error().text, "line 2: a colon is missing");
}
END_TEST

TEST(policies_have_limits)
{
    std::string text = "version: STSv1\nmode: enforce\nmax_age: 1\n";
    std::string hosts;
    for (std::size_t i = 0; i < trust::max_sts_mx; ++i)
        hosts += "mx: a.example\n";
    OK(trust::parse_sts_policy(text + hosts));
    THAT(!trust::parse_sts_policy(text + hosts + "mx: a.example\n").ok());
    text += "mx: a.example\nx: ";
    OK(trust::parse_sts_policy(text + std::string(trust::max_sts_policy - text.size(), 'y')));
    THAT(!trust::parse_sts_policy(text + std::string(trust::max_sts_policy - text.size() + 1, 'y')).ok());
}
END_TEST

TEST(matches_hosts)
{
    StsPolicy policy{.mode = StsMode::Enforce, .max_age = 1, .mx = {"mail.example.com", "*.example.net"}};
    for (std::string_view host : {"mail.example.com", "MAIL.example.COM", "a.example.net", "B.Example.Net"})
        THAT(trust::matches(policy, host));
    for (std::string_view host :
         {"example.com", "a.mail.example.com", "example.net", "a.b.example.net", ".example.net", "net", "", "xexample.net"})
        THAT(!trust::matches(policy, host));
}
END_TEST

TEST(knows_the_media_type)
{
    for (std::string_view type : {"text/plain", "Text/Plain; charset=utf-8", "text/plain ;x=y"})
        THAT(trust::is_policy_type(type));
    for (std::string_view type : {"", "text/html", "text/plainer", "application/octet-stream; text/plain"})
        THAT(!trust::is_policy_type(type));
}
END_TEST

}  // namespace

SUITE(sts_policy, reads_records, finds_the_one_record, reads_policies, refuses_what_is_no_policy, policies_have_limits,
      matches_hosts, knows_the_media_type)
