#include "libmail/sasl.h"

#include "libnet/crypto.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

using mail::Mechanism;
using Kind = mail::SaslStep::Kind;

namespace {

// RFC 7677 §3.
constexpr std::string_view client_first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view server_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr std::string_view server_first =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr std::string_view client_final =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr std::string_view server_final = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

mail::ScramVerifier pencil()
{
    return *mail::make_scram_verifier("pencil", *util::decode_base64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
}

// A client's final message for the challenge of a server, as RFC 5802 §3 makes it.
std::string prove(std::string_view gs2, std::string_view binding, std::string_view first_bare,
                  std::string_view challenge, std::string_view password)
{
    auto parts = util::split(challenge, ',');
    std::string salt = *util::decode_base64(parts[1].substr(2));
    auto iterations = *util::parse_unsigned(parts[2].substr(2));
    std::string salted = *net::pbkdf2_sha256(password, salt, std::uint32_t(iterations));
    std::string client_key = net::hmac_sha256(salted, "Client Key");
    std::string without_proof = util::concat("c=", util::encode_base64(util::concat(gs2, binding)), ",", parts[0]);
    std::string signature = net::hmac_sha256(net::sha256(client_key),
                                             util::concat(first_bare, ",", challenge, ",", without_proof));
    for (std::size_t i = 0; i < signature.size(); ++i)
        signature[i] = char(signature[i] ^ client_key[i]);
    return util::concat(without_proof, ",p=", util::encode_base64(signature));
}

}  // namespace

TEST(crypto_agrees_with_known_answers)
{
    EQ(util::hex(net::sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    // RFC 4231 §4.3 (test case 2).
    EQ(util::hex(net::hmac_sha256("Jefe", "what do ya want for nothing?")),
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EQ(util::hex(net::hmac_sha256("", "")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    // RFC 7914 §11.
    EQ(util::hex(*net::pbkdf2_sha256("passwd", "salt", 1, 64)).substr(0, 32), "55ac046e56e3089fec1691c22544b605");
    THAT(!net::pbkdf2_sha256("a", "b", 0).ok());
}
END_TEST

TEST(scram_agrees_with_the_rfc)
{
    mail::SaslExchange sasl(Mechanism::ScramSha256, {}, std::string(server_nonce));
    EQ(sasl.step(client_first).kind, Kind::FindVerifier);
    EQ(sasl.authcid(), "user");
    auto challenge = sasl.use_verifiers({pencil()});
    EQ(challenge.text, server_first);
    auto final = sasl.step(client_final);
    EQ(final.kind, Kind::Challenge);
    EQ(final.text, server_final);
    EQ(sasl.step("").kind, Kind::Success);
    EQ(sasl.step("").kind, Kind::BadSyntax);
}
END_TEST

TEST(scram_tells_which_of_several_secrets_was_proved)
{
    auto other = pencil();
    other.stored_key[0] = char(~other.stored_key[0]);
    for (std::size_t place : {0U, 1U, 2U}) {
        std::vector<mail::ScramVerifier> verifiers(3, other);
        verifiers[place] = pencil();
        mail::SaslExchange sasl(Mechanism::ScramSha256, {}, std::string(server_nonce));
        sasl.step(client_first);
        sasl.use_verifiers(verifiers);
        EQ(sasl.step(client_final).text, server_final);
        EQ(sasl.proved(), place);
    }
    mail::SaslExchange sasl(Mechanism::ScramSha256, {}, std::string(server_nonce));
    sasl.step(client_first);
    sasl.use_verifiers({other, other});
    EQ(sasl.step(client_final).kind, Kind::Failure);
}
END_TEST

TEST(scram_refuses_wrong_proofs_and_broken_messages)
{
    for (std::string_view first :
         {"", "n", "n,", "n,,", "x,,n=user,r=abc", "n,,n=,r=abc", "n,,n=user", "n,,n=user,r=", "n,,n=us=er,r=abc",
          "n,a=,n=user,r=abc", "n,b=x,n=user,r=abc", "n,,m=1,n=user,r=abc", "p=tls-unique,,n=user,r=abc",
          "n,,n=us\xff" "er,r=abc", "n,,n=user,r=a b"}) {
        mail::SaslExchange sasl(Mechanism::ScramSha256, {}, "abcdefghijklmnopqr");
        EQ(sasl.step(first).kind, Kind::BadSyntax);
    }
    for (std::string_view last :
         {"", "p=", "c=biws,r=x,p=AAAA", "c=biws,p=AAAA",
          "c=eSws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="}) {
        mail::SaslExchange sasl(Mechanism::ScramSha256, {}, std::string(server_nonce));
        sasl.step(client_first);
        sasl.use_verifiers({pencil()});
        EQ(sasl.step(last).kind, Kind::BadSyntax);
        EQ(sasl.step("").kind, Kind::BadSyntax);
    }
    mail::SaslExchange sasl(Mechanism::ScramSha256, {}, std::string(server_nonce));
    sasl.step(client_first);
    sasl.use_verifiers({pencil()});
    std::string wrong(client_final);
    wrong[wrong.size() - 5] = 'x';
    EQ(sasl.step(wrong).kind, Kind::Failure);
    EQ(sasl.step("").kind, Kind::BadSyntax);
}
END_TEST

TEST(scram_plus_binds_to_the_channel)
{
    mail::ChannelBinding binding{std::string(32, 'E'), std::string(32, 'P'), true};
    auto run = [&](Mechanism mechanism, std::string gs2, std::string data) {
        mail::SaslExchange sasl(mechanism, binding, "abcdefghijklmnopqr");
        auto step = sasl.step(util::concat(gs2, "n=u=2Cs=3Der,r=nonce"));
        if (step.kind != Kind::FindVerifier)
            return step.kind;
        EQ(sasl.authcid(), "u,s=er");
        step = sasl.use_verifiers({pencil()});
        return sasl.step(prove(gs2, data, "n=u=2Cs=3Der,r=nonce", step.text, "pencil")).kind;
    };
    EQ(run(Mechanism::ScramSha256Plus, "p=tls-exporter,,", std::string(32, 'E')), Kind::Challenge);
    EQ(run(Mechanism::ScramSha256Plus, "p=tls-server-end-point,a=boss,", std::string(32, 'P')), Kind::Challenge);
    EQ(run(Mechanism::ScramSha256Plus, "p=tls-exporter,,", std::string(32, 'P')), Kind::BadSyntax);
    EQ(run(Mechanism::ScramSha256Plus, "p=tls-unique,,", "x"), Kind::BadSyntax);
    EQ(run(Mechanism::ScramSha256Plus, "n,,", ""), Kind::BadSyntax);
    EQ(run(Mechanism::ScramSha256, "p=tls-exporter,,", std::string(32, 'E')), Kind::BadSyntax);
    EQ(run(Mechanism::ScramSha256, "y,,", ""), Kind::BadSyntax);  // cheated of -PLUS
    EQ(run(Mechanism::ScramSha256, "n,,", ""), Kind::Challenge);
    binding.plus_offered = false;
    EQ(run(Mechanism::ScramSha256, "y,,", ""), Kind::Challenge);
}
END_TEST

TEST(verifiers_keep_their_form)
{
    auto verifier = pencil();
    auto again = mail::parse_scram_verifier(mail::to_text(verifier));
    OK(again);
    EQ(again->stored_key, verifier.stored_key);
    THAT(mail::password_matches(*again, "pencil"));
    THAT(!mail::password_matches(*again, "pencils"));
    THAT(!mail::make_scram_verifier("pencil", "salt", 4095).ok());
    THAT(!mail::make_scram_verifier("", "salt", 4096).ok());
    auto fake = mail::fake_scram_verifier("secret", "nobody", 4096);
    EQ(fake.salt, mail::fake_scram_verifier("secret", "nobody", 4096).salt);
    THAT(fake.salt != mail::fake_scram_verifier("secret", "noone", 4096).salt);
    for (std::string_view bad : {"", "SCRAM-SHA-256$", "SCRAM-SHA-256$0:c2FsdA==$a:b", "SCRAM-SHA-1$4096:c2FsdA==$YQ==:YQ=="})
        THAT(!mail::parse_scram_verifier(bad).ok());
}
END_TEST

TEST(plain_and_login_collect_what_to_check)
{
    using namespace std::string_view_literals;
    mail::SaslExchange plain(Mechanism::Plain, {}, "");
    EQ(plain.step(std::nullopt).kind, Kind::Challenge);
    EQ(plain.step("boss\0joe\0secret"sv).kind, Kind::CheckPassword);
    EQ(plain.authzid(), "boss");
    EQ(plain.authcid(), "joe");
    EQ(plain.password(), "secret");
    EQ(plain.step("\0a\0b"sv).kind, Kind::BadSyntax);
    for (std::string_view bad : {""sv, "a"sv, "a\0b"sv, "\0\0x"sv, "\0a\0"sv, "\0a\0b\0c"sv, "\0\xff\0b"sv}) {
        mail::SaslExchange sasl(Mechanism::Plain, {}, "");
        EQ(sasl.step(bad).kind, Kind::BadSyntax);
    }
    mail::SaslExchange login(Mechanism::Login, {}, "");
    EQ(login.step(std::nullopt).text, "Username:");
    EQ(login.step("joe").text, "Password:");
    EQ(login.step("secret").kind, Kind::CheckPassword);
    mail::SaslExchange with_initial(Mechanism::Login, {}, "");
    EQ(with_initial.step("joe").text, "Password:");
}
END_TEST

TEST(lines_are_base64_cancelled_or_empty)
{
    EQ(*mail::decode_sasl_line("AGEAYg==", false), std::string_view("\0a\0b", 4));
    EQ(*mail::decode_sasl_line("=", true), "");
    EQ(*mail::decode_sasl_line("", false), "");
    EQ(mail::decode_sasl_line("=", false).error().kind, util::Kind::Invalid);
    EQ(mail::decode_sasl_line("*", false).error().kind, util::Kind::Permanent);
    EQ(mail::decode_sasl_line("A", false).error().kind, util::Kind::Invalid);
    EQ(mail::decode_sasl_line(std::string(mail::max_sasl_line + 4, 'A'), false).error().kind, util::Kind::Invalid);
    OK(mail::decode_sasl_line(std::string(mail::max_sasl_line, 'A'), false));
    THAT(mail::find_mechanism("scram-sha-256-plus") == Mechanism::ScramSha256Plus);
    THAT(!mail::find_mechanism("CRAM-MD5"));
}
END_TEST

SUITE(sasl, crypto_agrees_with_known_answers, scram_agrees_with_the_rfc, scram_tells_which_of_several_secrets_was_proved,
      scram_refuses_wrong_proofs_and_broken_messages, scram_plus_binds_to_the_channel, verifiers_keep_their_form,
      plain_and_login_collect_what_to_check, lines_are_base64_cancelled_or_empty)
