#include "libmail/scram.h"

#include "libnet/crypto.h"
#include "libutil/check.h"
#include "libutil/text.h"

namespace mail {

namespace {

using util::invalid;
using util::Result;

// "=2C" and "=3D" of a saslname; RFC 5802 §5.1.
Result<std::string> decode_name(std::string_view text)
{
    std::string name;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            name += text[i];
            continue;
        }
        std::string_view code = text.substr(i + 1, 2);
        if (code != "2C" && code != "3D")
            return invalid("SCRAM: bad name");
        name += code == "2C" ? ',' : '=';
        i += 2;
    }
    if (name.find('\0') != std::string::npos || !util::is_utf8(name))
        return invalid("SCRAM: name is not valid UTF-8");
    return name;
}

// RFC 5802 §7 printable: no comma, no control, no space.
bool is_nonce(std::string_view text)
{
    for (char c : text)
        if (c <= ' ' || c > '~' || c == ',')
            return false;
    return !text.empty();
}

// Takes "k=value" up to the next comma from the front of `text`.
Result<std::string_view> take_attribute(std::string_view& text, char key)
{
    if (text.size() < 2 || text[0] != key || text[1] != '=')
        return invalid(util::concat("SCRAM: expected ", key, '='));
    auto [attribute, rest] = util::split_first(text, ',');
    text = rest;
    return attribute.substr(2);
}

std::string exclusive_or(std::string_view a, std::string_view b)
{
    std::string out(a);
    for (std::size_t i = 0; i < out.size() && i < b.size(); ++i)
        out[i] = char(out[i] ^ b[i]);
    return out;
}

Result<ScramVerifier> keys_of(std::string_view password, std::string_view salt, std::uint32_t iterations)
{
    std::string salted = TRY(net::pbkdf2_sha256(password, salt, iterations));
    ScramVerifier verifier;
    verifier.iterations = iterations;
    verifier.salt = salt;
    verifier.stored_key = net::sha256(net::hmac_sha256(salted, "Client Key"));
    verifier.server_key = net::hmac_sha256(salted, "Server Key");
    return verifier;
}

}  // namespace

Result<ScramVerifier> make_scram_verifier(std::string_view password, std::string_view salt,
                                          std::uint32_t iterations)
{
    if (iterations < min_scram_iterations || iterations > max_scram_iterations)
        return invalid("SCRAM: iterations out of range");
    if (salt.empty() || password.empty() || password.size() > max_scram_message)
        return invalid("SCRAM: salt or password empty or too long");
    return keys_of(password, salt, iterations);
}

ScramVerifier fake_scram_verifier(std::string_view secret, std::string_view name, std::uint32_t iterations)
{
    ScramVerifier verifier;
    verifier.iterations = iterations;
    verifier.salt = net::hmac_sha256(secret, util::concat("salt ", name)).substr(0, 16);
    // No preimage of it is known, so that no proof will fit.
    verifier.stored_key = net::hmac_sha256(secret, util::concat("stored ", name));
    verifier.server_key = net::hmac_sha256(secret, util::concat("server ", name));
    return verifier;
}

std::string to_text(const ScramVerifier& verifier)
{
    return util::concat("SCRAM-SHA-256$", verifier.iterations, ':', util::encode_base64(verifier.salt), '$',
                        util::encode_base64(verifier.stored_key), ':',
                        util::encode_base64(verifier.server_key));
}

Result<ScramVerifier> parse_scram_verifier(std::string_view text)
{
    constexpr std::string_view scheme = "SCRAM-SHA-256$";
    if (!text.starts_with(scheme))
        return invalid("not a SCRAM-SHA-256 verifier");
    auto [parameters, keys] = util::split_first(text.substr(scheme.size()), '$');
    auto [iterations, salt] = util::split_first(parameters, ':');
    auto [stored, server] = util::split_first(keys, ':');
    ScramVerifier verifier;
    verifier.iterations = std::uint32_t(TRY(util::parse_unsigned(iterations, max_scram_iterations)));
    verifier.salt = TRY(util::decode_base64(salt));
    verifier.stored_key = TRY(util::decode_base64(stored));
    verifier.server_key = TRY(util::decode_base64(server));
    if (verifier.iterations == 0 || verifier.salt.empty() || verifier.stored_key.size() != net::sha256_size ||
        verifier.server_key.size() != net::sha256_size)
        return invalid("bad SCRAM-SHA-256 verifier");
    return verifier;
}

bool password_matches(const ScramVerifier& verifier, std::string_view password)
{
    auto keys = keys_of(password, verifier.salt, verifier.iterations);
    return keys.ok() && util::equal_constant_time(keys->stored_key, verifier.stored_key);
}

// gs2-header = gs2-cbind-flag "," [ "a=" authzid ] ","; answers what follows it.
Result<std::string_view> ScramServer::take_gs2_header(std::string_view message)
{
    auto [flag, after_flag] = util::split_first(message, ',');
    if (flag.starts_with("p=")) {
        binding_name_ = flag.substr(2);
        bool known = (binding_name_ == "tls-exporter" && !binding_.exporter.empty()) ||
                     (binding_name_ == "tls-server-end-point" && !binding_.server_end_point.empty());
        if (!plus_ || !known)
            return invalid("SCRAM: channel binding not supported");
    } else if (flag != "n" && flag != "y") {
        return invalid("SCRAM: bad channel binding flag");
    } else if (plus_) {
        return invalid("SCRAM: -PLUS without channel binding");
    } else if (flag == "y" && binding_.plus_offered) {
        // RFC 5802 §6: the client can bind and saw no -PLUS in our list; somebody cut it out.
        return invalid("SCRAM: server does support channel binding");
    }
    if (after_flag.find(',') == std::string_view::npos)
        return invalid("SCRAM: bad GS2 header");
    auto [authzid, bare] = util::split_first(after_flag, ',');
    if (!authzid.empty()) {
        if (!authzid.starts_with("a=") || authzid.size() == 2)
            return invalid("SCRAM: bad authorization identity");
        authzid_ = TRY(decode_name(authzid.substr(2)));
    }
    gs2_header_ = message.substr(0, message.size() - bare.size());
    return bare;
}

Result<void> ScramServer::take_first(std::string_view message)
{
    if (message.size() > max_scram_message)
        return invalid("SCRAM: message too long");
    std::string_view bare = TRY(take_gs2_header(message));
    client_first_bare_ = bare;
    if (bare.starts_with("m="))
        return invalid("SCRAM: unknown mandatory extension");
    std::string_view name = TRY(take_attribute(bare, 'n'));
    authcid_ = TRY(decode_name(name));
    std::string_view client_nonce = TRY(take_attribute(bare, 'r'));
    if (authcid_.empty() || !is_nonce(client_nonce))
        return invalid("SCRAM: empty name or bad nonce");
    nonce_.insert(0, client_nonce);
    return {};
}

std::string ScramServer::challenge(std::vector<ScramVerifier> verifiers)
{
    CHECK(!verifiers.empty());
    verifiers_ = std::move(verifiers);
    server_first_ = util::concat("r=", nonce_, ",s=", util::encode_base64(verifiers_.front().salt), ",i=",
                                 verifiers_.front().iterations);
    return server_first_;
}

std::string ScramServer::bound_data() const
{
    if (binding_name_.empty())
        return {};
    return binding_name_ == "tls-exporter" ? binding_.exporter : binding_.server_end_point;
}

Result<std::string> ScramServer::take_final(std::string_view message)
{
    std::size_t proof_at = message.rfind(",p=");
    if (message.size() > max_scram_message || proof_at == std::string_view::npos || server_first_.empty())
        return invalid("SCRAM: bad final message");
    std::string_view without_proof = message.substr(0, proof_at);
    std::string proof = TRY(util::decode_base64(message.substr(proof_at + 3)));
    std::string_view left = without_proof;
    std::string_view encoded_binding = TRY(take_attribute(left, 'c'));
    std::string_view nonce = TRY(take_attribute(left, 'r'));
    std::string binding = TRY(util::decode_base64(encoded_binding));
    if (!util::equal_constant_time(binding, gs2_header_ + bound_data()))
        return invalid("SCRAM: channel bindings do not match");
    if (nonce != nonce_ || proof.size() != net::sha256_size)
        return invalid("SCRAM: bad nonce or proof");

    // RFC 5802 §3: ClientKey = ClientProof XOR HMAC(StoredKey, AuthMessage).
    std::string auth_message = util::concat(client_first_bare_, ',', server_first_, ',', without_proof);
    for (proved_ = 0; proved_ < verifiers_.size(); ++proved_) {
        const ScramVerifier& verifier = verifiers_[proved_];
        std::string client_key = exclusive_or(proof, net::hmac_sha256(verifier.stored_key, auth_message));
        if (util::equal_constant_time(net::sha256(client_key), verifier.stored_key))
            return util::concat("v=", util::encode_base64(net::hmac_sha256(verifier.server_key, auth_message)));
    }
    return util::permanent("SCRAM: wrong proof");
}

}  // namespace mail
