// tools/tern/doubts.h
#include "tools/tern/doubts.h"

#include "libconf/accounts_file.h"
#include "tests/unit/libconf/temp_dir.h"
#include "tests/unit/suite.h"

namespace {

TEST(a_whole_configuration_has_no_doubts)
{
    test::TempDir dir;
    dir.write("main.cf", "myhostname = mail.example.org\nvirtual_alias_maps = inline:{postmaster=a@example.org, root=postmaster}\n");
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
    THAT(text.find("nobody gets mail for postmaster@mail.example.org (User unknown in local recipient table)") != std::string::npos);
    THAT(text.find("nobody gets mail for root@mail.example.org") != std::string::npos);
}
END_TEST

}  // namespace

SUITE(doubts, a_whole_configuration_has_no_doubts, names_typing_mistakes_missing_tables_and_missing_people)
