#include "tests/unit/smtp/fake_server.h"

#include "libmail/sasl.h"

using ipc::Disposition;
using test::Talk;

namespace {

// A talk with a password for its destination.
struct Login : Talk {
    explicit Login(std::string entry = "{[mx.example.org]:587=anna:geheim}", std::string offered = "PLAIN LOGIN SCRAM-SHA-256")
    {
        config.sasl_auth_enable.set(true);
        OK(config.sasl_password_maps.read("inline:" + entry));
        config.sasl_security_options.set({});
        server.replies["EHLO"] = {"250-mx\n250 AUTH " + offered};
    }
    std::optional<smtp::Failure> start()
    {
        auto opened = smtp::Credentials::open(config, "+");
        OK(opened);
        credentials = opened.take();
        site.credentials = credentials.get();
        return begin();
    }
    std::unique_ptr<smtp::Credentials> credentials;
};

TEST(plain_goes_with_the_command_and_login_answers_prompts)
{
    Login plain("{[mx.example.org]:587=anna:ge:heim}", "PLAIN LOGIN");
    plain.server.replies["AUTH"] = {"235 2.7.0 ok"};
    THAT(!plain.start());
    EQ(plain.server.commands[1], "AUTH PLAIN " + util::encode_base64(std::string_view("\0anna\0ge:heim", 13)));
    Login login("{mx.example.org=anna:geheim}", "LOGIN");
    login.server.replies["AUTH"] = {"334 VXNlcm5hbWU6"};
    login.server.replies["*"] = {"334 UGFzc3dvcmQ6", "235 ok"};
    THAT(!login.start());
    EQ(login.server.commands[2], util::encode_base64("anna"));
    EQ(login.server.commands[3], util::encode_base64("geheim"));
}
END_TEST

TEST(nobody_logs_in_without_an_entry_or_an_offer)
{
    Login other("{[other.example]:587=anna:geheim}");
    THAT(!other.start());
    THAT(!other.server.said("AUTH"));
    Login not_offered;
    not_offered.server.replies["EHLO"] = {"250 mx"};
    THAT(!not_offered.start());
    Login disabled;
    disabled.config.sasl_auth_enable.set(false);
    THAT(!disabled.start());
    THAT(!disabled.server.said("AUTH"));
}
END_TEST

TEST(passwords_are_not_shown_without_tls_unless_it_is_said)
{
    Login plain("{[mx.example.org]:587=anna:geheim}", "PLAIN LOGIN");
    plain.config.sasl_security_options.set({"noplaintext", "noanonymous"});
    auto failed = plain.start();
    EQ(failed->status.dsn, "4.7.0");
    THAT(failed->site && !failed->permanent());
    THAT(!plain.server.said("AUTH"));
    Login scram;
    scram.config.sasl_security_options.set({"noplaintext", "noanonymous"});
    scram.server.replies["AUTH"] = {"535 5.7.8 no"};
    (void)scram.start();
    THAT(scram.server.said("AUTH SCRAM-SHA-256 "));
}
END_TEST

TEST(a_filter_leaves_mechanisms_out)
{
    Login filtered;
    filtered.config.sasl_mechanism_filter.set({"!scram-sha-256", "login"});
    filtered.server.replies["AUTH"] = {"535 no"};
    (void)filtered.start();
    THAT(filtered.server.said("AUTH LOGIN"));
}
END_TEST

TEST(a_refused_login_is_temporary_or_final_as_it_is_said)
{
    Login soft;
    soft.server.replies["AUTH"] = {"535 5.7.8 Authentication failed"};
    auto failed = soft.start();
    EQ(failed->status.dsn, "4.7.8");
    EQ(failed->status.disposition, Disposition::Deferred);
    EQ(failed->status.text,
       "SASL authentication failed; server mx.example.org[192.0.2.1] said: 535 5.7.8 Authentication failed");
    Login hard;
    hard.config.sasl_auth_soft_bounce.set(false);
    hard.server.replies["AUTH"] = {"535 5.7.8 no"};
    THAT(hard.start()->permanent());
}
END_TEST

TEST(a_server_that_accepts_without_proof_is_refused)
{
    Login cheat("{[mx.example.org]:587=anna:geheim}", "SCRAM-SHA-256");
    cheat.server.replies["AUTH"] = {"235 2.7.0 come in"};
    auto failed = cheat.start();
    THAT(failed && failed->status.dsn == "4.7.0");
    Login garbage("{[mx.example.org]:587=anna:geheim}", "SCRAM-SHA-256");
    garbage.server.replies["AUTH"] = {"334 !!!"};
    THAT(garbage.start().has_value());
    EQ(garbage.server.commands.back(), "*");
    Login endless("{[mx.example.org]:587=anna:geheim}", "LOGIN");
    endless.server.replies["AUTH"] = {"334 VXNlcm5hbWU6"};
    endless.server.replies["*"] = {"334 VXNlcm5hbWU6"};
    THAT(endless.start().has_value());
}
END_TEST

TEST(senders_have_their_own_entries)
{
    Login own("{sender@example.net=sender:one, mx.example.org=host:two}", "PLAIN");
    own.config.sender_dependent_authentication.set(true);
    own.server.replies["AUTH"] = {"235 ok"};
    THAT(!own.start());
    EQ(own.server.commands[1], "AUTH PLAIN " + util::encode_base64(std::string_view("\0sender\0one", 11)));
    THAT(own.session->fits("sender@example.net"));
    THAT(!own.session->fits("other@example.net"));
    Login domain("{@example.net=domain:one}", "PLAIN");
    domain.config.sender_dependent_authentication.set(true);
    domain.server.replies["AUTH"] = {"235 ok"};
    THAT(!domain.start());
    THAT(domain.server.said("AUTH PLAIN"));
}
END_TEST

TEST(a_long_initial_response_waits_for_its_challenge)
{
    Login token("{[mx.example.org]:587=anna:" + std::string(600, 'x') + "}", "PLAIN");
    token.server.replies["AUTH"] = {"334 "};
    token.server.replies["*"] = {"235 ok"};
    THAT(!token.start());
    EQ(token.server.commands[1], "AUTH PLAIN");
    THAT(token.server.commands[2].size() > 600);
}
END_TEST

TEST(security_options_have_their_meaning)
{
    auto find = [](std::string_view name) {
        for (const auto& mechanism : mail::sasl_client_mechanisms())
            if (mechanism.name == name)
                return mechanism;
        return mail::SaslMechanism{};
    };
    struct Case {
        const char* option;
        const char* kept;
        const char* gone;
    };
    for (const Case& c :
         {Case{"noplaintext", "CRAM-MD5", "XOAUTH2"}, Case{"nodictionary", "PLAIN", "SCRAM-SHA-256"},
          Case{"noactive", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"}, Case{"mutual_auth", "SCRAM-SHA-1", "PLAIN"}}) {
        THAT(smtp::permitted(find(c.kept), {c.option}));
        THAT(!smtp::permitted(find(c.gone), {c.option}));
    }
    THAT(!smtp::check_security_options({"noplaintxt"}).ok());
    OK(smtp::check_security_options({"noplaintext", "mutual_auth"}));
}
END_TEST

}  // namespace

SUITE(authentication, plain_goes_with_the_command_and_login_answers_prompts, nobody_logs_in_without_an_entry_or_an_offer,
      passwords_are_not_shown_without_tls_unless_it_is_said, a_filter_leaves_mechanisms_out,
      a_refused_login_is_temporary_or_final_as_it_is_said, a_server_that_accepts_without_proof_is_refused,
      senders_have_their_own_entries, a_long_initial_response_waits_for_its_challenge, security_options_have_their_meaning)
