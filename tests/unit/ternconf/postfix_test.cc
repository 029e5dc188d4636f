// tools/ternconf/postfix.h, tools/ternconf/from_postfix.h
#include "tools/ternconf/from_postfix.h"

#include "tests/unit/suite.h"
#include "tools/ternconf/postfix.h"

#include <algorithm>

using namespace ternconf;

namespace {

struct Converted {
    std::string requests;     // one a line, of main.cf and then master.cf
    std::string left;         // "name: why", one a line
    std::string unwanted;
};

Converted convert(std::string main_cf, std::string master_cf, std::string_view tern_master = "")
{
    PostfixFiles files{"/etc/postfix", std::move(main_cf), std::move(master_cf)};
    auto result = convert_from_postfix(files, tern_master, [](const std::string& path) {
        return path == "/etc/mailname" ? util::Result<std::string>("mail.example")
                                       : util::Result<std::string>(util::not_found(path));
    });
    OK(result);
    Converted out;
    for (const std::string& request : result->main_requests)
        util::append(out.requests, request, "\n");
    for (const std::string& request : result->service_requests)
        util::append(out.requests, request, "\n");
    for (const CarriedItem& item : result->items)
        if (!item.carried)
            util::append(out.left, item.name, ": ", item.note, "\n");
    for (const std::string& service : result->unwanted_services)
        util::append(out.unwanted, service, "\n");
    return out;
}

TEST(names_are_sorted_and_notes_are_about_them)
{
    AllSections sections;
    auto names = postfix_names();
    THAT(std::is_sorted(names.begin(), names.end()) && std::adjacent_find(names.begin(), names.end()) == names.end());
    for (const auto& [name, why] : postfix_differences()) {
        ck_assert_msg(is_postfix_parameter(name), "%s", std::string(name).c_str());
        ck_assert_msg(sections.find_parameter(name) != nullptr, "%s is not there", std::string(name).c_str());
    }
    EQ(compare_with_postfix(sections, "smtpd_timeout").likeness, Likeness::Same);
    EQ(compare_with_postfix(sections, "syslog_name").likeness, Likeness::Different);
    EQ(compare_with_postfix(sections, "milter_protocol").why, "there are no milters");
    EQ(postfix_reasons().back().first, "*");
    std::string table = postfix_table(sections);
    THAT(table.starts_with("parameter\there\twhy\n2bounce_notice_recipient\tyes\t\n"));
    EQ(std::ranges::count(table, '\n'), names.size() + 1);
}
END_TEST

TEST(settings_come_over_where_their_values_would_do)
{
    Converted got = convert("mydestination = $myhostname, $mine\n"
                            "mine = a.example\n"
                            "other = b.example\n"
                            "hopcount_limit = many\n"
                            "header_checks = ldap:/etc/x\n"
                            "body_checks = pcre:$config_directory/b, pcre:${config_directory}/c\n"
                            "biff = yes\n"
                            "queue_directory = /var/spool/postfix\n"
                            "myorigin = /etc/mailname\n"
                            "smtpd_restriction_classes = strict\n"
                            "strict = reject\n"
                            "smtp_pix_workarounds = x\n",
                            "");
    EQ(got.requests,
       "mydestination=$myhostname, $mine\nmine=a.example\nbody_checks=pcre:/etc/postfix/b, pcre:/etc/postfix/c\nmyorigin=mail.example\n"
       "smtpd_restriction_classes=strict\nstrict=reject\n");
    for (const char* line :
         {"other: no value has it, and it is no parameter\n", "hopcount_limit: a number is wanted, not \"many\"\n",
          "biff: nobody is told of new mail at a terminal\n", "queue_directory: Tern's own queue",
          "header_checks: ", "smtp_pix_workarounds: those firewalls are gone; "})
        ck_assert_msg(got.left.find(line) != std::string::npos, "%s is not in %s", line, got.left.c_str());
    THAT(got.left.find("ldap") != std::string::npos);
}
END_TEST

TEST(some_settings_have_another_name_here)
{
    EQ(convert("smtpd_tls_cert_file = /c\nsmtpd_tls_key_file = /k\nsmtpd_use_tls = yes\nvirtual_maps = hash:/v\n", "").requests,
       "tls_chain_files=/k, /c\nsmtpd_tls_security_level=may\nvirtual_alias_maps=hash:/v\n");
    EQ(convert("smtpd_tls_cert_file = /c\nsmtpd_tls_key_file = $smtpd_tls_cert_file\n", "").requests, "tls_chain_files=/c\n");
    EQ(convert("smtpd_tls_chain_files = /k, /c\nsmtpd_tls_cert_file = /old\n", "").requests, "tls_chain_files=/k, /c\n");
    EQ(convert("smtpd_enforce_tls = yes\nsmtpd_tls_security_level = may\n", "").requests, "smtpd_tls_security_level=may\n");
}
END_TEST

TEST(services_with_a_port_come_over_with_their_settings)
{
    std::string master =
        "smtp inet n - y - 1 postscreen\n"
        "smtpd pass - - y - - smtpd\n"
        "587 inet n - y - 20 smtpd\n"
        "  -o syslog_name=postfix/submission -o smtpd_milters=inet:x:1\n"
        "  -o { smtpd_recipient_restrictions = permit_sasl_authenticated, reject } -v\n"
        "pickup unix n - y 60 1 pickup\n"
        "x unix - n n - - spawn user=x argv=/bin/x\n"
        "y unix - n n - - pipe\n  flags=R user=x argv=/bin/x -o ${sender}\n"
        "slow unix - - y - 2 smtp -o smtp_helo_timeout=10 -o syslog_name=postfix/slow -o smtp_pix_workarounds=\n"
        "short inet\n";
    Converted got =
        convert("", master, "smtp inet n - - - - smtpd\nsubmission inet n - - - - smtpd\nimap inet n - - - 1 imapd\n");
    EQ(got.unwanted, "submission/inet\n");
    THAT(got.requests.find("smtp/inet=smtp") == 0);
    THAT(got.requests.find(" n       -       -       smtpd\n") != std::string::npos);
    THAT(got.requests.find("587/inet=587") != std::string::npos &&
         got.requests.find("20      smtpd -o syslog_name=tern/submission -o") != std::string::npos);
    THAT(got.requests.find("permit_sasl_authenticated, reject") != std::string::npos &&
         got.requests.find(" -v") != std::string::npos);
    THAT(got.requests.find("pipe flags=R user=x argv=/bin/x -o ${sender}") != std::string::npos);
    THAT(got.requests.find("slow/unix=slow") != std::string::npos);
    THAT(got.requests.find("2       smtp -o smtp_helo_timeout=10 -o syslog_name=tern/slow\n") != std::string::npos);
    for (const char* line :
         {"smtpd/pass: postscreen(8) passes it clients, and is not there\n", "587/inet/smtpd_milters: there are no milters\n",
          "pickup/unix: master.cf has Tern's own\n", "x/unix: it runs a program, and there is no spawn(8)\n",
          "short inet: eight columns are wanted, not 2\n"})
        ck_assert_msg(got.left.find(line) != std::string::npos, "%s is not in %s", line, got.left.c_str());
}
END_TEST

}  // namespace

SUITE(postfix, names_are_sorted_and_notes_are_about_them, settings_come_over_where_their_values_would_do,
      some_settings_have_another_name_here, services_with_a_port_come_over_with_their_settings)
