#include "libmail/sasl.h"

#include "libmail/normal_form.h"
#include "libutil/text.h"

namespace mail {

namespace {

using Kind = SaslStep::Kind;

bool is_name(std::string_view name)
{
    return name.size() <= max_sasl_name && name.find('\0') == std::string_view::npos && util::is_utf8(name);
}

// RFC 4616 §2: 1*SAFE, UTF-8 without NUL; any bytes but NUL are taken, for old passwords.
bool is_password(std::string_view password)
{
    return !password.empty() && password.size() <= max_sasl_password &&
           password.find('\0') == std::string_view::npos;
}

SaslStep bad(std::string text) { return {Kind::BadSyntax, std::move(text)}; }

}  // namespace

SaslExchange::SaslExchange(Mechanism mechanism, ChannelBinding binding, std::string nonce)
    : mechanism_(mechanism),
      scram_(mechanism == Mechanism::ScramSha256Plus, std::move(binding), std::move(nonce))
{
}

SaslStep SaslExchange::step(std::optional<std::string_view> response)
{
    if (!begun_) {
        begun_ = true;
        if (!response)
            return {Kind::Challenge, mechanism_ == Mechanism::Login ? "Username:" : ""};
    }
    if (!response)
        return bad("No response");
    switch (mechanism_) {
    case Mechanism::Plain:
        return plain(*response);
    case Mechanism::Login:
        return login(*response);
    case Mechanism::ScramSha256:
    case Mechanism::ScramSha256Plus:
        return scram(*response);
    }
    return bad("No such mechanism");
}

// [authzid] NUL authcid NUL passwd
SaslStep SaslExchange::plain(std::string_view message)
{
    if (round_++ > 0)
        return bad("PLAIN: too many responses");
    std::size_t first = message.find('\0');
    std::size_t second = first == std::string_view::npos ? first : message.find('\0', first + 1);
    if (second == std::string_view::npos)
        return bad("PLAIN: not authzid, authcid and password");
    std::string_view authzid = message.substr(0, first);
    std::string_view authcid = message.substr(first + 1, second - first - 1);
    std::string_view password = message.substr(second + 1);
    if (authcid.empty() || !is_name(authcid) || !is_name(authzid) || !is_password(password))
        return bad("PLAIN: bad name or password");
    authzid_ = normal_form(authzid);
    authcid_ = normal_form(authcid);
    password_ = prepare_password(password);
    return {Kind::CheckPassword, {}};
}

// No RFC: "Username:" and "Password:" as clients expect them; an initial response is the name.
SaslStep SaslExchange::login(std::string_view message)
{
    switch (round_++) {
    case 0:
        if (message.empty() || !is_name(message))
            return bad("LOGIN: bad name");
        authcid_ = normal_form(message);
        return {Kind::Challenge, "Password:"};
    case 1:
        if (!is_password(message))
            return bad("LOGIN: bad password");
        password_ = prepare_password(message);
        return {Kind::CheckPassword, {}};
    default:
        return bad("LOGIN: too many responses");
    }
}

SaslStep SaslExchange::scram(std::string_view message)
{
    switch (round_) {
    case 0: {
        auto first = scram_.take_first(message);
        if (!first.ok())
            return bad(first.error().text);
        if (!is_name(scram_.authcid()) || !is_name(scram_.authzid()))
            return bad("SCRAM: name too long");
        authcid_ = normal_form(scram_.authcid());
        authzid_ = normal_form(scram_.authzid());
        round_ = 1;
        return {Kind::FindVerifier, {}};
    }
    case 2: {
        auto final = scram_.take_final(message);
        round_ = 3;
        if (final.ok())
            return {Kind::Challenge, final.take()};
        round_ = 4;
        bool wrong = final.error().kind == util::Kind::Permanent;
        return {wrong ? Kind::Failure : Kind::BadSyntax, final.error().text};
    }
    case 3:  // the client has seen our proof and says nothing more (RFC 4422 §5)
        round_ = 4;
        return message.empty() ? SaslStep{Kind::Success, {}} : bad("SCRAM: response after the end");
    default:
        return bad("SCRAM: unexpected response");
    }
}

SaslStep SaslExchange::use_verifiers(std::vector<ScramVerifier> verifiers)
{
    if (round_ != 1)
        return bad("SCRAM: verifier out of turn");
    round_ = 2;
    return {Kind::Challenge, scram_.challenge(std::move(verifiers))};
}

}  // namespace mail
