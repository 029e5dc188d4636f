#include "libmail/sasl_client.h"

#include "libmail/sasl.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

using mail::make_sasl_client;

namespace {

const mail::SaslCredentials anna{"anna@example.org", "geheim", false, "mx.example.org", 587};

TEST(plain_and_login_tell_name_and_password)
{
    auto plain = make_sasl_client("PLAIN", anna, {}, "");
    EQ(*plain->initial(), std::string_view("\0anna@example.org\0geheim", 24));
    THAT(!plain->respond("").ok() && plain->finished());
    auto login = make_sasl_client("LOGIN", anna, {}, "");
    THAT(!login->initial());
    EQ(*login->respond("Username:"), "anna@example.org");
    EQ(*login->respond("Password:"), "geheim");
    THAT(!login->respond("More:").ok());
}
END_TEST

// RFC 2195 §2.
TEST(cram_md5_is_that_of_its_rfc)
{
    auto cram = make_sasl_client("CRAM-MD5", {"tim", "tanstaaftanstaaf", false, "", 0}, {}, "");
    EQ(*cram->respond("<1896.697170952@postoffice.reston.mci.net>"), "tim b913a602c7eda7a495b4e6e7334d3890");
    THAT(!cram->respond("x").ok());
}
END_TEST

// RFC 5802 §5.
TEST(scram_sha_1_is_that_of_its_rfc)
{
    auto scram = make_sasl_client("SCRAM-SHA-1", {"user", "pencil", false, "", 0}, {}, "fyko+d2lbbFgONRv9qkxdawL");
    EQ(*scram->initial(), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
    EQ(*scram->respond("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"),
       "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
    THAT(!scram->finished());
    EQ(*scram->respond("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), "");
    THAT(scram->finished());
}
END_TEST

// RFC 7677 §3.
TEST(scram_sha_256_is_that_of_its_rfc)
{
    auto scram = make_sasl_client("SCRAM-SHA-256", {"user", "pencil", false, "", 0}, {}, "rOprNGfwEbeRWgbNEkqO");
    EQ(*scram->initial(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    EQ(*scram->respond("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
       "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    OK(scram->respond("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
    THAT(scram->finished());
}
END_TEST

TEST(a_server_that_cheats_is_found_out)
{
    for (const char* challenge :
         {"r=other,s=QSXCR+Q6sek8bf92,i=4096", "r=nonce,s=QSXCR+Q6sek8bf92,i=4096", "r=nonceX,s=QSXCR+Q6sek8bf92,i=1",
          "r=nonceX,s=,i=4096", "r=nonceX,s=QSXCR+Q6sek8bf92,i=99999999999", "", "x", "r=nonceX,s=***,i=4096"}) {
        auto scram = make_sasl_client("SCRAM-SHA-256", anna, {}, "nonce");
        THAT(!scram->respond(challenge).ok());
        THAT(!scram->finished());
    }
    for (const char* last : {"v=AAAA", "e=invalid-proof", "", "v=***"}) {
        auto scram = make_sasl_client("SCRAM-SHA-256", anna, {}, "nonce");
        OK(scram->respond("r=nonceX,s=QSXCR+Q6sek8bf92,i=4096"));
        THAT(!scram->respond(last).ok());
        THAT(!scram->finished());
    }
}
END_TEST

// Against the server's side, which other clients have proved.
TEST(both_sides_agree_also_on_the_channel)
{
    mail::ChannelBinding channel{"exported bytes", "", true};
    mail::ChannelBinding other{"other bytes", "", true};
    auto verifier = mail::make_scram_verifier("geheim", "salt and more", 4096);
    OK(verifier);
    for (bool same : {true, false}) {
        auto client = make_sasl_client("SCRAM-SHA-256-PLUS", anna, channel, "clientnonce");
        mail::SaslExchange server(mail::Mechanism::ScramSha256Plus, same ? channel : other, "servernonceservernonce");
        auto first = server.step(*client->initial());
        EQ(first.kind, mail::SaslStep::Kind::FindVerifier);
        EQ(server.authcid(), "anna@example.org");
        auto challenge = server.use_verifiers({*verifier});
        auto answer = client->respond(challenge.text);
        OK(answer);
        auto last = server.step(*answer);
        EQ(last.kind == mail::SaslStep::Kind::Challenge || last.kind == mail::SaslStep::Kind::Success, same);
        if (!same)
            continue;
        OK(client->respond(last.text));
        THAT(client->finished());
    }
    THAT(!make_sasl_client("SCRAM-SHA-256-PLUS", anna, {}, "n"));
    EQ(make_sasl_client("SCRAM-SHA-256", anna, {"x", "", false}, "n")->initial()->substr(0, 2), "y,");
    EQ(make_sasl_client("SCRAM-SHA-256", anna, channel, "n")->initial()->substr(0, 2), "n,");
}
END_TEST

TEST(tokens_go_with_their_mechanisms_only)
{
    mail::SaslCredentials token{"anna@example.org", "ya29.x", true, "mx.example.org", 587};
    EQ(*make_sasl_client("XOAUTH2", token, {}, "")->initial(), "user=anna@example.org\1auth=Bearer ya29.x\1\1");
    auto bearer = make_sasl_client("OAUTHBEARER", token, {}, "");
    EQ(*bearer->initial(), "n,a=anna@example.org,\1host=mx.example.org\1port=587\1auth=Bearer ya29.x\1\1");
    EQ(*bearer->respond("{\"status\":\"401\"}"), "\1");
    THAT(!bearer->respond("again").ok());
    THAT(!make_sasl_client("PLAIN", token, {}, ""));
    THAT(!make_sasl_client("XOAUTH2", anna, {}, ""));
    THAT(!make_sasl_client("DIGEST-MD5", anna, {}, ""));
    THAT(!make_sasl_client("PLAIN", {std::string("a\0b", 3), "x", false, "", 0}, {}, ""));
    THAT(!make_sasl_client("PLAIN", {"", "x", false, "", 0}, {}, ""));
}
END_TEST

TEST(names_are_escaped_in_scram)
{
    EQ(*make_sasl_client("SCRAM-SHA-1", {"a,b=c", "x", false, "", 0}, {}, "n")->initial(), "n,,n=a=2Cb=3Dc,r=n");
}
END_TEST

}  // namespace

SUITE(sasl_client, plain_and_login_tell_name_and_password, cram_md5_is_that_of_its_rfc, scram_sha_1_is_that_of_its_rfc,
      scram_sha_256_is_that_of_its_rfc, a_server_that_cheats_is_found_out, both_sides_agree_also_on_the_channel,
      tokens_go_with_their_mechanisms_only, names_are_escaped_in_scram)
