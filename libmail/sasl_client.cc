#include "libmail/sasl_client.h"

#include "libutil/text.h"

#include <algorithm>

namespace mail {

namespace {

using util::Result;

constexpr SaslMechanism mechanisms[] = {
    {.name = "SCRAM-SHA-256-PLUS", .binding = true, .mutual = true, .active = true},
    {.name = "SCRAM-SHA-1-PLUS", .binding = true, .mutual = true, .active = true},
    {.name = "SCRAM-SHA-256", .mutual = true},
    {.name = "SCRAM-SHA-1", .mutual = true},
    {.name = "CRAM-MD5"},
    {.name = "OAUTHBEARER", .plaintext = true, .token = true},
    {.name = "XOAUTH2", .plaintext = true, .token = true},
    {.name = "PLAIN", .plaintext = true},
    {.name = "LOGIN", .plaintext = true},
};

class Plain final : public SaslClient {
public:
    explicit Plain(const SaslCredentials& credentials)
        : message_(util::concat('\0', credentials.user, '\0', credentials.secret))
    {
    }
    std::optional<std::string> initial() override { return message_; }
    Result<std::string> respond(std::string_view) override { return util::invalid("PLAIN: an unexpected challenge"); }

private:
    std::string message_;
};

// Prompts are words for people; name and password come in this order.
class Login final : public SaslClient {
public:
    explicit Login(SaslCredentials credentials) : credentials_(std::move(credentials)) {}
    std::optional<std::string> initial() override { return {}; }
    Result<std::string> respond(std::string_view) override
    {
        ++round_;
        return round_ == 1   ? credentials_.user
               : round_ == 2 ? credentials_.secret
                             : Result<std::string>(util::invalid("LOGIN: an unexpected challenge"));
    }

private:
    SaslCredentials credentials_;
    int round_ = 0;
};

class CramMd5 final : public SaslClient {
public:
    explicit CramMd5(SaslCredentials credentials) : credentials_(std::move(credentials)) {}
    std::optional<std::string> initial() override { return {}; }
    Result<std::string> respond(std::string_view challenge) override
    {
        if (std::exchange(done_, true) || challenge.empty())
            return util::invalid("CRAM-MD5: an unexpected challenge");
        return util::concat(credentials_.user, ' ', util::hex(net::hmac(net::Digest::Md5, credentials_.secret, challenge)));
    }

private:
    SaslCredentials credentials_;
    bool done_ = false;
};

// Both end with an error in JSON where the token is not good; what answers it ends the exchange.
class Bearer final : public SaslClient {
public:
    Bearer(const SaslCredentials& credentials, bool standard)
    {
        constexpr char separator = '\1';
        std::string token = util::concat("auth=Bearer ", credentials.secret, separator, separator);
        message_ = standard ? util::concat("n,a=", credentials.user, ',', separator, "host=", credentials.host, separator,
                                           "port=", credentials.port, separator, token)
                            : util::concat("user=", credentials.user, separator, token);
        dummy_ = standard ? std::string(1, separator) : std::string();
    }
    std::optional<std::string> initial() override { return message_; }
    Result<std::string> respond(std::string_view) override
    {
        if (std::exchange(refused_, true))
            return util::invalid("an unexpected challenge");
        return dummy_;
    }

private:
    std::string message_;
    std::string dummy_;
    bool refused_ = false;
};

// RFC 5802 §5.1.
std::string encode_name(std::string_view name)
{
    std::string out;
    for (char c : name) {
        if (c == ',')
            out += "=2C";
        else if (c == '=')
            out += "=3D";
        else
            out += c;
    }
    return out;
}

class Scram final : public SaslClient {
public:
    Scram(SaslCredentials credentials, net::Digest digest, std::string flag, std::string bound, std::string nonce)
        : credentials_(std::move(credentials)), digest_(digest), gs2_header_(std::move(flag) + ",,"), bound_(std::move(bound)),
          nonce_(std::move(nonce))
    {
        first_bare_ = util::concat("n=", encode_name(credentials_.user), ",r=", nonce_);
    }
    std::optional<std::string> initial() override { return gs2_header_ + first_bare_; }
    bool finished() const override { return state_ == State::Proved; }
    Result<std::string> respond(std::string_view challenge) override
    {
        switch (state_) {
        case State::First: return final_message(challenge);
        case State::Final: return check_server(challenge);
        case State::Proved: break;
        }
        return util::invalid("SCRAM: an unexpected challenge");
    }

private:
    enum class State : unsigned char { First, Final, Proved };

    struct ServerFirst {
        std::string nonce;
        std::string salt;
        std::uint32_t iterations = 0;
    };
    Result<ServerFirst> parse_first(std::string_view message) const
    {
        auto attributes = util::split(message, ',');
        if (message.size() > max_scram_message || attributes.size() < 3 || !attributes[0].starts_with("r=") ||
            !attributes[1].starts_with("s=") || !attributes[2].starts_with("i="))
            return util::invalid("SCRAM: bad challenge");
        ServerFirst first;
        first.nonce = attributes[0].substr(2);
        if (!first.nonce.starts_with(nonce_) || first.nonce.size() == nonce_.size())
            return util::invalid("SCRAM: the server's nonce does not continue ours");
        first.salt = TRY(util::decode_base64(attributes[1].substr(2)));
        first.iterations = static_cast<std::uint32_t>(TRY(util::parse_unsigned(attributes[2].substr(2), max_scram_iterations)));
        // RFC 5802 §5.1 asks for 4096 at least: fewer would make the password cheap to guess for whoever asks.
        if (first.salt.empty() || first.iterations < min_scram_iterations)
            return util::invalid("SCRAM: too few iterations, or no salt");
        return first;
    }

    Result<std::string> final_message(std::string_view challenge)
    {
        ServerFirst first = TRY(parse_first(challenge));
        std::string salted = TRY(net::pbkdf2(digest_, credentials_.secret, first.salt, first.iterations));
        std::string without_proof = util::concat("c=", util::encode_base64(gs2_header_ + bound_), ",r=", first.nonce);
        std::string auth_message = util::concat(first_bare_, ',', challenge, ',', without_proof);
        std::string proof = net::hmac(digest_, salted, "Client Key");
        std::string signature = net::hmac(digest_, net::digest_of(digest_, proof), auth_message);
        for (std::size_t i = 0; i < proof.size(); ++i)
            proof[i] = static_cast<char>(proof[i] ^ signature[i]);
        server_signature_ = net::hmac(digest_, net::hmac(digest_, salted, "Server Key"), auth_message);
        state_ = State::Final;
        return util::concat(without_proof, ",p=", util::encode_base64(proof));
    }

    // The server's last word, which SMTP carries as one more challenge (RFC 4954 §4).
    Result<std::string> check_server(std::string_view message)
    {
        if (message.starts_with("e="))
            return util::permanent(util::concat("SCRAM: ", util::printable(message.substr(2), 100)));
        if (!message.starts_with("v="))
            return util::invalid("SCRAM: bad final message of the server");
        std::string signature = TRY(util::decode_base64(util::split_first(message.substr(2), ',').first));
        if (!util::equal_constant_time(signature, server_signature_))
            return util::permanent("SCRAM: the server does not know the password");
        state_ = State::Proved;
        return std::string();
    }

    SaslCredentials credentials_;
    net::Digest digest_;
    std::string gs2_header_;
    std::string bound_;
    std::string nonce_;
    std::string first_bare_;
    std::string server_signature_;
    State state_ = State::First;
};

std::unique_ptr<SaslClient> make_scram(const SaslMechanism& mechanism, SaslCredentials credentials,
                                       const ChannelBinding& binding, std::string nonce)
{
    bool exporter = !binding.exporter.empty();
    if (mechanism.binding && !exporter && binding.server_end_point.empty())
        return nullptr;
    net::Digest digest = mechanism.name.starts_with("SCRAM-SHA-256") ? net::Digest::Sha256 : net::Digest::Sha1;
    // RFC 5802 §6: "y" tells a server that offers -PLUS that somebody took it out of its list.
    bool able = exporter || !binding.server_end_point.empty();
    std::string flag = mechanism.binding ? util::concat("p=", exporter ? "tls-exporter" : "tls-server-end-point")
                       : able && !binding.plus_offered ? "y"
                                                       : "n";
    std::string bound = !mechanism.binding ? "" : exporter ? binding.exporter : binding.server_end_point;
    return std::make_unique<Scram>(std::move(credentials), digest, std::move(flag), std::move(bound), std::move(nonce));
}

}  // namespace

std::span<const SaslMechanism> sasl_client_mechanisms() { return mechanisms; }

std::unique_ptr<SaslClient> make_sasl_client(std::string_view name, SaslCredentials credentials, const ChannelBinding& binding,
                                             std::string nonce)
{
    auto found = std::ranges::find(mechanisms, name, &SaslMechanism::name);
    if (found == std::end(mechanisms) || found->token != credentials.is_token)
        return nullptr;
    // A NUL would end a name early, a separator of OAuth begin another field.
    auto bad = [](char c) { return c == '\0' || c == '\1'; };
    if (credentials.user.empty() || std::ranges::any_of(credentials.user, bad) || std::ranges::any_of(credentials.secret, bad))
        return nullptr;
    if (name == "PLAIN")
        return std::make_unique<Plain>(credentials);
    if (name == "LOGIN")
        return std::make_unique<Login>(std::move(credentials));
    if (name == "CRAM-MD5")
        return std::make_unique<CramMd5>(std::move(credentials));
    if (found->token)
        return std::make_unique<Bearer>(credentials, name == "OAUTHBEARER");
    return make_scram(*found, std::move(credentials), binding, std::move(nonce));
}

}  // namespace mail
