// tools/tern/doubts.h
#include "tools/tern/doubts.h"

#include "libconf/accounts_file.h"
#include "tests/unit/libconf/temp_dir.h"
#include "tests/unit/suite.h"

namespace {

TEST(a_whole_configuration_has_no_doubts)
{
    test::TempDir dir;
    dir.write("main.cf",
              "myhostname = mail.example.org\nvirtual_alias_maps = inline:{postmaster=a@example.org, root=postmaster}\n"
              "address_verify_map = btree:/nonexistent/not-yet\n");
    dir.write("master.cf", "smtp inet n - - - - smtpd -o smtpd_timeout=10s\n");
    OK(conf::write_accounts(dir / "accounts", {{"a@example.org", 5, 5, "/m", {}}}));
    EQ(tern::doubts_about(dir.path()), "");
}
END_TEST

TEST(names_typing_mistakes_missing_tables_and_missing_people)
{
    test::TempDir dir;
    dir.write("main.cf", "myhostname = mail.example.org\nmax_ude = 5\nvirtual_alias_maps = hash:/nonexistent/v\n");
    dir.write("master.cf", "smtp inet n - - - - smtpd -o stpmd_timeout=10s\n");
    std::string text = tern::doubts_about(dir.path());
    THAT(text.find("main.cf:2: warning: nothing reads max_ude (is max_use meant?)") != std::string::npos);
    THAT(text.find("master.cf:1: warning: nothing reads stpmd_timeout (is smtpd_timeout meant?)") != std::string::npos);
    THAT(text.find("/nonexistent/v.db: No such file or directory") != std::string::npos);

    dir.write("main.cf", "myhostname = mail.example.org\n");
    OK(conf::write_accounts(dir / "accounts", {{"a@example.org", 5, 5, "/m", {}}}));
    text = tern::doubts_about(dir.path());
    THAT(text.find("nobody gets mail for postmaster@mail.example.org (User unknown in local recipient table)") !=
         std::string::npos);
    THAT(text.find("nobody gets mail for root@mail.example.org") != std::string::npos);
}
END_TEST

TEST(finds_tables_that_only_one_daemon_opens)
{
    test::TempDir dir;
    dir.write("checks", "/^Subject:/ WARN\n/broken REJECT\n");
    dir.write("main.cf", util::concat("myhostname = mail.example.org\n"
                                      "header_checks = regexp:", dir / "checks", "\n"
                                      "sender_bcc_maps = hash:/nonexistent/bcc\n"
                                      "smtpd_restriction_classes = mine\n"
                                      "mine = check_client_access texthash:/nonexistent/clients\n"
                                      "relayhost = [host]:25\n"
                                      "default_transport = error:5.4.4 no\n"));
    dir.write("master.cf", "smtp inet n - - - - smtpd -o smtpd_sender_login_maps=cidr:/nonexistent/logins\n");
    OK(conf::write_accounts(dir / "accounts", {{"a@example.org", 5, 5, "/m", {}}}));
    std::string text = tern::doubts_about(dir.path());
    for (std::string_view part : {"main.cf:2: warning: header_checks: mail waits",
                                  "checks:2: ", "main.cf:3: warning: sender_bcc_maps: ", "/nonexistent/bcc.db: No such file",
                                  "main.cf:5: warning: mine: ", "/nonexistent/clients",
                                  "master.cf:1: warning: smtpd_sender_login_maps: ", "/nonexistent/logins"})
        ck_assert_msg(text.find(part) != std::string::npos, "no \"%s\" in:\n%s", std::string(part).c_str(), text.c_str());
    THAT(text.find("relayhost") == std::string::npos);
    THAT(text.find("5.4.4") == std::string::npos);
}
END_TEST

TEST(names_accounts_that_cannot_work)
{
    test::TempDir dir;
    dir.write("main.cf",
              "myhostname = mail.example.org\nvirtual_alias_maps = inline:{postmaster=a@example.org, root=postmaster}\n");
    dir.write("master.cf", "smtp inet n - - - - smtpd\n");
    conf::Account alias;
    alias.address = "info@example.org", alias.target = "a@example.org", alias.flags = {"alias"};
    conf::Account lost = alias;
    lost.address = "lost@example.org", lost.target = "gone@example.org";
    std::vector<conf::Account> accounts = {{"a@example.org", 5, 5, "/m", {}}, alias};
    OK(conf::write_accounts(dir / "accounts", accounts));
    EQ(tern::doubts_about(dir.path()), "");
    accounts.push_back(lost);
    accounts.push_back({"n@example.org", 6, 6, "/n", {"system=no-such-user-here"}});
    accounts.push_back({"d@example.org", 6, 6, "/d", {"system=daemon"}});   // who is uid 1
    OK(conf::write_accounts(dir / "accounts", accounts));
    dir.write("logins", "nonsense");
    std::string text = tern::doubts_about(dir.path());
    for (const char* doubt :
         {"lost@example.org is an alias of gone@example.org, which is no account",
          "2 accounts are those of users of the system",
          "n@example.org cannot log in: the system has no user no-such-user-here",
          "d@example.org cannot log in: daemon has uid 1 by now, and the account 6", "nobody logs in until this is mended: "})
        ck_assert_msg(text.find(doubt) != std::string::npos, "%s is not in %s", doubt, text.c_str());
    dir.write("master.cf", "smtp inet n - - - - smtpd\nauth-pam unix - n - - 1 auth-pam\n");
    THAT(tern::doubts_about(dir.path()).find("has no service auth-pam") == std::string::npos);
}
END_TEST

}  // namespace

SUITE(doubts, names_accounts_that_cannot_work, finds_tables_that_only_one_daemon_opens, a_whole_configuration_has_no_doubts,
      names_typing_mistakes_missing_tables_and_missing_people)
