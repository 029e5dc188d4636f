// The dialogue before log-in, step by step.
#include "pop3d/login.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

using Kind = ipc::LoginStep::Kind;

struct Fixture {
    pop3d::Login login{"host.example"};
    ipc::LoginOffer offer{.mechanisms = {"SCRAM-SHA-256", "PLAIN"}};

    explicit Fixture(bool plaintext, bool starttls = false)
    {
        offer.plaintext = plaintext;
        offer.starttls = starttls;
        login.greet(offer);
        EQ(said(), "+OK host.example ready\r\n");
    }
    std::string said()
    {
        auto out = login.output();
        login.output().clear();
        return out;
    }
};

}  // namespace

TEST(user_and_pass_become_plain)
{
    Fixture f(true);
    EQ(f.login.feed("PASS early\r\n").kind, Kind::Wait);
    EQ(f.said(), "-ERR USER comes first\r\n");
    auto step = f.login.feed("user alice@example.org\r\nPASS  two blanks \r\nSTAT\r\n");
    EQ(step.kind, Kind::Authenticate);
    EQ(*step.data, std::string("\0alice@example.org\0 two blanks ", 31));
    f.said();
    f.login.refuse(ipc::LoginRefusal::Failed);
    EQ(f.said(), "-ERR [AUTH] Authentication failed\r\n");
    EQ(f.login.feed({}).kind, Kind::Wait);
    EQ(f.said(), "-ERR Log in first\r\n");
}
END_TEST

TEST(nothing_in_the_clear)
{
    Fixture f(false, true);
    EQ(f.login.feed("USER a\r\nAUTH PLAIN AHUAcA==\r\nCAPA\r\n").kind, Kind::Wait);
    EQ(f.said(), "-ERR [AUTH] Log in over TLS\r\n-ERR [AUTH] This mechanism is not offered\r\n"
                 "+OK Capabilities follow\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
                 "UTF8 USER\r\nLANG\r\nIMPLEMENTATION Tern\r\nSTLS\r\nSASL SCRAM-SHA-256\r\nEXPIRE NEVER\r\n.\r\n");
    EQ(f.login.login_capabilities(), "STLS\r\nSASL SCRAM-SHA-256\r\nEXPIRE NEVER\r\n");
    EQ(f.login.feed("STLS\r\nUSER a\r\n").kind, Kind::StartTls);
    THAT(f.login.has_leftover());
}
END_TEST

TEST(languages_are_one)
{
    Fixture f(true);
    f.login.feed("LANG\r\nLANG *\r\nLANG EN\r\nLANG en-GB\r\nLANG de\r\n");
    EQ(f.said(), "+OK Languages follow\r\nen English\r\n.\r\n+OK en Answers are in English\r\n"
                 "+OK en Answers are in English\r\n-ERR This language is not spoken here\r\n"
                 "-ERR This language is not spoken here\r\n");
}
END_TEST

TEST(the_delay_between_log_ins_is_announced_and_told)
{
    pop3d::Login login("host.example", {.login_delay = 300, .expire = 30});
    login.greet({});
    EQ(login.login_capabilities(), "EXPIRE 30\r\nLOGIN-DELAY 300\r\n");
    login.output().clear();
    login.refuse(ipc::LoginRefusal::TooSoon);
    EQ(login.output(), "-ERR [LOGIN-DELAY] The last log-in was a moment ago, try again later\r\n");
}
END_TEST

TEST(utf8_comes_after_tls_and_names_are_in_it)
{
    Fixture f(true, true);
    THAT(!f.login.utf8());
    f.login.feed("UTF8 x\r\nUSER \xe4\r\nUSER a\r\nPASS \xe4\r\n");
    EQ(f.said(), "-ERR Unexpected argument\r\n-ERR The name is not in UTF-8\r\n+OK Name taken, password wanted\r\n"
                 "-ERR The password is not in UTF-8\r\n");
    f.login.feed("UTF8\r\nSTLS\r\n");
    EQ(f.said(), "+OK UTF-8 from here on\r\n-ERR STLS comes before UTF8\r\n");
    THAT(f.login.utf8());
    auto step = f.login.feed("USER j\xc3\xb6rg\r\nPASS p\xc3\xa4ss\r\n");
    EQ(*step.data, std::string("\0j\xc3\xb6rg\0p\xc3\xa4ss", 12));
}
END_TEST

TEST(auth_with_and_without_initial_response)
{
    Fixture f(true);
    auto step = f.login.feed("AUTH plain =\r\n");
    EQ(*step.data, "");
    f.login.refuse(ipc::LoginRefusal::Invalid);
    step = f.login.feed("AUTH PLAIN\r\n");
    EQ(step.kind, Kind::Authenticate);
    f.said();
    f.login.challenge("");
    EQ(f.said(), "+ \r\n");
    EQ(f.login.feed("*\r\n").kind, Kind::Cancel);
    EQ(f.said(), "-ERR Authentication cancelled\r\n");
    EQ(f.login.feed("AUTH PLAIN !\r\nAUTH\r\nAUTH KLINGON\r\n").kind, Kind::Wait);
    EQ(f.said(), "-ERR Invalid base64\r\n-ERR Mechanism expected\r\n-ERR [AUTH] This mechanism is not offered\r\n");
    EQ(f.login.feed("AUTH SCRAM-SHA-256 biwsbg==\r\n").kind, Kind::Authenticate);
    EQ(f.login.authenticated("v=1").kind, Kind::Wait);
    EQ(f.said(), "+ dj0x\r\n");
    EQ(f.login.feed("\r\nSTAT\r\n").kind, Kind::Proceed);
    EQ(f.login.leftover(), "STAT\r\n");
    EQ(f.login.greeting(), "+OK Logged in\r\n");
}
END_TEST

TEST(limits_hold)
{
    Fixture f(true);
    EQ(f.login.feed(util::concat("USER ", std::string(248, 'x'), "\r\n")).kind, Kind::Wait);
    EQ(f.said(), "+OK Name taken, password wanted\r\n");
    EQ(f.login.feed(util::concat("USER ", std::string(249, 'x'), "\r\n")).kind, Kind::Wait);
    EQ(f.said(), "-ERR The command line is too long\r\n");
    EQ(f.login.feed(std::string(100'000, 'x')).kind, Kind::Wait);
    EQ(f.login.feed("\r\nQUIT\r\n").kind, Kind::Close);
    EQ(f.said(), "-ERR The command line is too long\r\n+OK Goodbye\r\n");
    Fixture many(true);
    for (int i = 1; i < ipc::max_login_bad_commands; ++i)
        EQ(many.login.feed("STAT\r\n").kind, Kind::Wait);
    EQ(many.login.feed("STAT\r\n").kind, Kind::Close);
}
END_TEST

SUITE(pop3_login, user_and_pass_become_plain, nothing_in_the_clear, languages_are_one, utf8_comes_after_tls_and_names_are_in_it,
      the_delay_between_log_ins_is_announced_and_told, auth_with_and_without_initial_response, limits_hold)
