// SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the server's side: RFC 5802, RFC 7677.
//
// Messages in and out as texts, before and after base64; nonces, salts and verifiers are values
// from outside.  The password that a verifier is made of is prepared before (prepare_password() in
// normal_form.h), as a client of RFC 8265 does; one that keeps to RFC 4013 does the same but for
// compatibility characters, such as ligatures.
#pragma once

#include "libutil/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

constexpr std::uint32_t min_scram_iterations = 4096;       // RFC 7677 §4
constexpr std::uint32_t max_scram_iterations = 10'000'000;
constexpr std::size_t max_scram_message = 4096;            // bytes

// What a server keeps of a password: enough to check a proof, not enough to log in elsewhere.
struct ScramVerifier {
    std::uint32_t iterations = 0;
    std::string salt;        // raw bytes, as all of these
    std::string stored_key;
    std::string server_key;
};

// Costs `iterations` of HMAC.  Invalid: iterations out of range, an empty salt or password.
util::Result<ScramVerifier> make_scram_verifier(std::string_view password, std::string_view salt,
                                                std::uint32_t iterations);

// For an account that does not exist: looks like a real one, always the same for the same name,
// and no proof fits it.  `secret` is the server's and lasts as long as the account would.
ScramVerifier fake_scram_verifier(std::string_view secret, std::string_view name,
                                  std::uint32_t iterations);

// "SCRAM-SHA-256$4096:salt$StoredKey:ServerKey", base64 each (the form of RFC 5803's kin that
// other servers use, too).
std::string to_text(const ScramVerifier& verifier);
util::Result<ScramVerifier> parse_scram_verifier(std::string_view text);

// Does this password belong to the verifier?  Constant time after the hashing.
bool password_matches(const ScramVerifier& verifier, std::string_view password);

// What TLS offers to bind to; both empty without TLS.
struct ChannelBinding {
    std::string exporter;         // tls-exporter, RFC 9266
    std::string server_end_point; // tls-server-end-point, RFC 5929 §4: the certificate's hash
    bool plus_offered = false;    // SCRAM-SHA-256-PLUS was in the list that the client saw
};

class ScramServer {
public:
    // `nonce`: at least 18 random bytes as printable text without comma (base64 does).
    ScramServer(bool plus, ChannelBinding binding, std::string nonce)
        : plus_(plus), binding_(std::move(binding)), nonce_(std::move(nonce))
    {
    }

    // client-first-message.  Invalid: malformed, or a channel binding that cannot be, among them
    // the "y" of a client that was cheated of -PLUS (RFC 5802 §6).
    util::Result<void> take_first(std::string_view message);
    // After take_first(): who wants to log in, and as whom (often empty: as the same).
    const std::string& authcid() const { return authcid_; }
    const std::string& authzid() const { return authzid_; }

    // server-first-message, for the account's verifiers: one for each of its secrets, at least one, all
    // with the salt and the iterations of the first, since the client is told one salt before it proves
    // any of them.
    std::string challenge(std::vector<ScramVerifier> verifiers);

    // client-final-message; server-final-message "v=.." if the proof is right.  Permanent: it is
    // wrong.  Invalid: malformed, or bound to another channel.
    util::Result<std::string> take_final(std::string_view message);
    // After take_final(): which verifier the proof was for.
    std::size_t proved() const { return proved_; }

private:
    util::Result<std::string_view> take_gs2_header(std::string_view message);
    std::string bound_data() const;

    bool plus_;
    ChannelBinding binding_;
    std::string nonce_;
    std::string gs2_header_;
    std::string binding_name_;  // of "p=", else empty
    std::string authcid_;
    std::string authzid_;
    std::string client_first_bare_;
    std::string server_first_;
    std::vector<ScramVerifier> verifiers_;
    std::size_t proved_ = 0;
};

}  // namespace mail
