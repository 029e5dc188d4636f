#include "libconf/common.h"
#include "libutil/text.h"
#include "smtpd/access.h"
#include "smtpd/checked_config.h"
#include "smtpd/restriction_list.h"
#include "tests/unit/suite.h"

namespace {

std::string joined(const std::vector<conf::Key>& keys)
{
    std::string text;
    for (const conf::Key& key : keys)
        util::append(text, text.empty() ? "" : " ", key.text, key.partial ? "" : "!");
    return text;
}

TEST(keys_go_from_the_whole_to_its_parts)
{
    using enum smtpd::Parents;
    EQ(joined(smtpd::domain_keys("a.b.example", Plain)), "a.b.example! b.example example");
    EQ(joined(smtpd::domain_keys("a.b.example", ByDot)), "a.b.example! .b.example .example");
    EQ(joined(smtpd::domain_keys("unknown", Plain)), "unknown!");
    EQ(joined(smtpd::domain_keys("dot.", Plain)), "dot.!");
    EQ(joined(smtpd::address_keys("192.0.2.1")), "192.0.2.1! 192.0.2 192.0 192");
    EQ(joined(smtpd::address_keys("2001:db8::1")), "2001:db8::1! 2001:db8 2001");
    EQ(joined(smtpd::address_keys("::1")), "::1!");
    EQ(joined(smtpd::mail_keys({"user+x", "a.example"}, "+", "<>", Plain)),
       "user+x@a.example! user@a.example a.example example user+x@ user@");
    EQ(joined(smtpd::mail_keys({"", ""}, "+", "<>", Plain)), "<>!");
}
END_TEST

TEST(actions_are_read_as_access_5_says)
{
    using Kind = smtpd::AccessAction::Kind;
    struct Case {
        const char* value;
        Kind kind;
        int code;
        const char* dsn;
        const char* text;
    };
    for (const Case& c : {Case{"OK", Kind::Permit, 0, "", ""}, Case{" ok ", Kind::Permit, 0, "", ""},
                          Case{"12345", Kind::Permit, 0, "", ""}, Case{"550", Kind::Permit, 0, "", ""},
                          Case{"REJECT", Kind::Reject, 0, "", ""},
                          Case{"reject you  there", Kind::Reject, 0, "", "you  there"},
                          Case{"550 5.7.1 no", Kind::Reply, 550, "5.7.1", "no"},
                          Case{"450 no", Kind::Reply, 450, "", "no"},
                          Case{"450 5.7.1 no", Kind::Reply, 450, "5.7.1", "no"},
                          Case{"REJECT 5.7.9 no", Kind::Reject, 0, "5.7.9", "no"},
                          Case{"DEFER 4.2.1", Kind::Defer, 0, "4.2.1", ""},
                          Case{"DEFER_IF_REJECT 4.2.1 later", Kind::DeferIfReject, 0, "4.2.1", "later"},
                          Case{"INFO 4.2.1 later", Kind::Info, 0, "", "4.2.1 later"},
                          Case{"350 no", Kind::Restrictions, 0, "", "350 no"},
                          Case{"4500 no", Kind::Restrictions, 0, "", "4500 no"},
                          Case{"REDIRECT a@b", Kind::Redirect, 0, "", "a@b"}, Case{"HOLD", Kind::Hold, 0, "", ""},
                          Case{"filter x:y", Kind::Filter, 0, "", "x:y"}, Case{"BCC a@b", Kind::Bcc, 0, "", "a@b"},
                          Case{"OK really", Kind::Permit, 0, "", "really"},
                          Case{"DUNNO why", Kind::Dunno, 0, "", "why"},
                          Case{"DUNNO, REJECT", Kind::Restrictions, 0, "", "DUNNO, REJECT"},
                          Case{"", Kind::Restrictions, 0, "", ""},
                          Case{"permit_mynetworks, reject", Kind::Restrictions, 0, "", "permit_mynetworks, reject"}}) {
        auto action = smtpd::parse_access(c.value);
        EQ(action.kind, c.kind);
        EQ(action.code, c.code);
        EQ(action.dsn, c.dsn);
        EQ(action.text, c.text);
    }
}
END_TEST

TEST(lists_are_read_or_refused_with_the_reason)
{
    struct Case {
        const char* text;
        const char* error;  // empty: it is right
    };
    for (const Case& c : {Case{"", ""}, Case{"permit_mynetworks,reject_unauth_destination reject", ""},
                          Case{"check_client_access static:OK, PERMIT", ""}, Case{"sleep 3", ""}, Case{"mine", ""},
                          Case{"reject_nothing x", "unknown restriction: reject_nothing"},
                          Case{"reject_rbl_client zen.example=127.0.0.[2..11] reject_rhsbl_sender x.example", ""},
                          Case{"reject_rbl_client", "reject_rbl_client lacks its argument"},
                          Case{"reject_rbl_client a..b", "reject_rbl_client: not a domain: a..b"},
                          Case{"permit_dnswl_client a=1.2.3", "permit_dnswl_client: not four octets: 1.2.3"},
                          Case{"check_helo_ns_access", "check_helo_ns_access lacks its argument"},
                          Case{"check_client_access", "check_client_access lacks its argument"},
                          Case{"sleep", "sleep lacks its argument"},
                          Case{"sleep soon", "sleep: not a number of seconds up to 3600: soon"}}) {
        auto list = smtpd::parse_restrictions(c.text, {"mine"}, true);
        EQ(list.ok() ? std::string() : list.error().text, c.error);
    }
    THAT(!smtpd::parse_restrictions("check_client_access nonsense:x", {}, true).ok());
    THAT(!smtpd::parse_restrictions("check_client_access static:OK", {}, false).ok());
}
END_TEST

TEST(mistakes_are_told_with_file_and_line)
{
    conf::Problems problems;
    auto settings = conf::MainCf::parse("myhostname = a.example\nsmtpd_client_restrictions = permitt\n"
                                        "smtpd_restriction_classes = one two\none = reject_everything\n"
                                        "smtpd_tls_protocols = TLSv9\n",
                                        "/etc/tern/main.cf", "/etc/tern", problems);
    conf::Common common;
    smtpd::RestrictionLists lists;
    smtpd::CheckedConfig config(lists);
    settings.fill({&common, &config}, problems);
    std::string text = problems.to_text();
    for (const char* wanted : {"/etc/tern/main.cf:2: smtpd_client_restrictions: unknown restriction: permitt",
                               "/etc/tern/main.cf:4: one: unknown restriction: reject_everything",
                               "two: named in smtpd_restriction_classes, but not set",
                               "/etc/tern/main.cf:5: smtpd_tls_protocols: unknown TLS protocol: TLSv9"})
        ck_assert_msg(text.find(wanted) != std::string::npos, "%s\nis not in\n%s", wanted, text.c_str());
}
END_TEST

TEST(an_open_relay_is_a_mistake)
{
    conf::Problems problems;
    auto settings = conf::MainCf::parse("smtpd_relay_restrictions = permit_mynetworks\n", "main.cf", "/etc/tern", problems);
    smtpd::RestrictionLists lists;
    smtpd::CheckedConfig config(lists);
    conf::Common common;
    settings.fill({&common, &config}, problems);
    THAT(problems.any());
    THAT(problems.to_text().find("open relay") != std::string::npos);
}
END_TEST

}  // namespace

SUITE(access, keys_go_from_the_whole_to_its_parts, actions_are_read_as_access_5_says,
      lists_are_read_or_refused_with_the_reason, mistakes_are_told_with_file_and_line,
      an_open_relay_is_a_mistake)
