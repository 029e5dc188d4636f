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
                 "EXPIRE NEVER\r\nIMPLEMENTATION Tern\r\nSTLS\r\nSASL SCRAM-SHA-256\r\n.\r\n");
    EQ(f.login.login_capabilities(), "STLS\r\nSASL SCRAM-SHA-256\r\n");
    EQ(f.login.feed("STLS\r\nUSER a\r\n").kind, Kind::StartTls);
    THAT(f.login.has_leftover());
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

SUITE(pop3_login, user_and_pass_become_plain, nothing_in_the_clear, auth_with_and_without_initial_response,
      limits_hold)
