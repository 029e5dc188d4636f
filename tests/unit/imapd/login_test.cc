// The dialogue before log-in, step by step.
#include "imapd/login.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

using StepKind = ipc::LoginStep::Kind;

struct LoginFixture {
    imapd::Login login{"host.example"};
    ipc::LoginOffer offer{.mechanisms = {"SCRAM-SHA-256", "PLAIN", "LOGIN"}};

    explicit LoginFixture(bool plaintext, bool starttls = false)
    {
        offer.plaintext = plaintext;
        offer.starttls = starttls;
        login.greet(offer);
    }
    std::string said()
    {
        auto out = login.output();
        login.output().clear();
        return out;
    }
};

}  // namespace

TEST(greets_with_what_there_is)
{
    LoginFixture open(true);
    EQ(open.said(), "* OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR ID ENABLE AUTH=SCRAM-SHA-256 AUTH=PLAIN "
                    "AUTH=LOGIN] host.example ready\r\n");
    LoginFixture closed(false, true);
    EQ(closed.said(), "* OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR ID ENABLE STARTTLS LOGINDISABLED "
                      "AUTH=SCRAM-SHA-256] host.example ready\r\n");
}
END_TEST

TEST(login_becomes_plain)
{
    LoginFixture f(true);
    f.said();
    auto step = f.login.feed("a1 LOGIN \"us\\\"er\" {4+}\r\np\"w \r\nleft over");
    EQ(step.kind, StepKind::Authenticate);
    EQ(step.mechanism, "PLAIN");
    EQ(*step.data, std::string("\0us\"er\0p\"w ", 11));
    EQ(f.login.authenticated("").kind, StepKind::Proceed);
    THAT(f.login.greeting().starts_with("a1 OK [CAPABILITY IMAP4rev1 "));
    EQ(f.login.leftover(), "left over");
}
END_TEST

TEST(passwords_in_the_clear_are_refused)
{
    LoginFixture f(false, true);
    f.said();
    EQ(f.login.feed("a1 LOGIN user secret\r\n").kind, StepKind::Wait);
    EQ(f.said(), "a1 NO [PRIVACYREQUIRED] Log in over TLS\r\n");
    EQ(f.login.feed("a2 AUTHENTICATE PLAIN AHUAcA==\r\n").kind, StepKind::Wait);
    EQ(f.said(), "a2 NO [PRIVACYREQUIRED] Log in over TLS\r\n");
    EQ(f.login.feed("a3 AUTHENTICATE SCRAM-SHA-256\r\n").kind, StepKind::Authenticate);
}
END_TEST

TEST(initial_responses_are_optional_and_may_be_empty)
{
    LoginFixture f(true);
    f.said();
    auto step = f.login.feed("a1 AUTHENTICATE plain AHUAcA==\r\n");
    EQ(step.mechanism, "PLAIN");
    EQ(*step.data, std::string("\0u\0p", 4));
    f.login.refuse(ipc::LoginRefusal::Failed);
    EQ(f.said(), "a1 NO [AUTHENTICATIONFAILED] Authentication failed\r\n");
    step = f.login.feed("a2 AUTHENTICATE PLAIN =\r\n");
    EQ(*step.data, "");
    f.login.refuse(ipc::LoginRefusal::Unavailable);
    THAT(f.said().starts_with("a2 NO [UNAVAILABLE] "));
    step = f.login.feed("a3 AUTHENTICATE PLAIN\r\n");
    THAT(!step.data);
    f.login.refuse(ipc::LoginRefusal::Invalid);
    THAT(f.said().starts_with("a3 BAD "));
    for (std::string_view bad : {"AAA", "A===", "AA A", "!!!!", "="}) {
        if (bad == "=")
            continue;
        EQ(f.login.feed(util::concat("a4 AUTHENTICATE PLAIN ", bad, "\r\n")).kind, StepKind::Wait);
        THAT(f.said().starts_with("a4 BAD "));
    }
}
END_TEST

TEST(challenges_are_answered_cancelled_or_broken)
{
    LoginFixture f(true);
    f.said();
    EQ(f.login.feed("a1 AUTHENTICATE LOGIN\r\n").kind, StepKind::Authenticate);
    f.login.challenge("User Name");
    EQ(f.said(), "+ VXNlciBOYW1l\r\n");
    auto step = f.login.feed("dXNlcg==\r\n");
    EQ(step.kind, StepKind::Respond);
    EQ(*step.data, "user");
    f.login.challenge("");
    EQ(f.said(), "+ \r\n");
    EQ(f.login.feed("*\r\n").kind, StepKind::Cancel);
    EQ(f.said(), "a1 BAD Authentication cancelled\r\n");
    EQ(f.login.feed("a2 AUTHENTICATE LOGIN\r\n").kind, StepKind::Authenticate);
    f.login.challenge("x");
    f.said();
    EQ(f.login.feed("not base64\r\n").kind, StepKind::Cancel);
    EQ(f.said(), "a2 BAD Invalid base64\r\n");
    EQ(f.login.feed("a3 NOOP\r\n").kind, StepKind::Wait);
    EQ(f.said(), "a3 OK NOOP completed\r\n");
}
END_TEST

TEST(a_last_message_of_the_server_is_acknowledged)
{
    LoginFixture f(true);
    f.said();
    EQ(f.login.feed("a1 AUTHENTICATE SCRAM-SHA-256 biwsbg==\r\n").kind, StepKind::Authenticate);
    EQ(f.login.authenticated("v=1").kind, StepKind::Wait);
    EQ(f.said(), "+ dj0x\r\n");
    EQ(f.login.feed("\r\na2 SELECT INBOX\r\n").kind, StepKind::Proceed);
    EQ(f.login.leftover(), "a2 SELECT INBOX\r\n");
    LoginFixture other(true);
    other.said();
    EQ(other.login.feed("a1 AUTHENTICATE SCRAM-SHA-256 biwsbg==\r\n").kind, StepKind::Authenticate);
    EQ(other.login.authenticated("v=1").kind, StepKind::Wait);
    other.said();
    EQ(other.login.feed("eA==\r\n").kind, StepKind::Wait);
    EQ(other.said(), "a1 BAD The exchange was over\r\n");
}
END_TEST

TEST(starttls_consumes_its_line_and_nothing_more)
{
    LoginFixture f(false, true);
    f.said();
    EQ(f.login.feed("a1 STARTTLS\r\n").kind, StepKind::StartTls);
    THAT(f.said().starts_with("a1 OK "));
    THAT(!f.login.has_leftover());
    f.login.set_offer({.tls_active = true, .plaintext = true, .mechanisms = {"PLAIN"}});
    EQ(f.login.feed("a2 STARTTLS\r\na3 CAPABILITY\r\n").kind, StepKind::Wait);
    EQ(f.said(), "a2 BAD TLS is active already\r\n* CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR ID ENABLE "
                 "AUTH=PLAIN\r\na3 OK CAPABILITY completed\r\n");
    LoginFixture ahead(false, true);
    EQ(ahead.login.feed("a1 STARTTLS\r\na2 LOGIN a b\r\n").kind, StepKind::StartTls);
    THAT(ahead.login.has_leftover());
}
END_TEST

TEST(limits_hold_before_log_in)
{
    LoginFixture f(true);
    f.said();
    EQ(f.login.feed("a1 LOGIN {4097}\r\n").kind, StepKind::Wait);
    EQ(f.said(), "a1 BAD [TOOBIG] The literal is too large\r\n");
    EQ(f.login.feed("a2 LOGIN {4096}\r\n").kind, StepKind::Wait);
    EQ(f.said(), "+ OK\r\n");
    EQ(f.login.feed(std::string(4096, 'u') + " {1}\r\n").kind, StepKind::Wait);
    EQ(f.said(), "a2 BAD [TOOBIG] The literal is too large\r\n");
    EQ(f.login.feed(std::string(20'000, 'x') + "\r\na3 NOOP\r\n").kind, StepKind::Wait);
    EQ(f.said(), "* BAD [TOOBIG] The command is too long\r\na3 OK NOOP completed\r\n");
    EQ(f.login.feed("a4 LOGIN {999999+}\r\n").kind, StepKind::Close);
    LoginFixture many(true);
    for (int i = 0; i < ipc::max_login_bad_commands - 1; ++i)
        EQ(many.login.feed("x SELECT INBOX\r\n").kind, StepKind::Wait);
    EQ(many.login.feed("x SELECT INBOX\r\n").kind, StepKind::Close);
}
END_TEST

SUITE(imap_login, greets_with_what_there_is, login_becomes_plain, passwords_in_the_clear_are_refused,
      initial_responses_are_optional_and_may_be_empty, challenges_are_answered_cancelled_or_broken,
      a_last_message_of_the_server_is_acknowledged, starttls_consumes_its_line_and_nothing_more,
      limits_hold_before_log_in)
