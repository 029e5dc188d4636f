// SASL, the server's side: PLAIN (RFC 4616), LOGIN, SCRAM-SHA-256(-PLUS); and the base64 lines in
// which SMTP, IMAP and POP3 carry it.
//
// An exchange is a state machine without storage: it says what it needs, the owner of the
// passwords answers.
#pragma once

#include "libmail/scram.h"
#include "libutil/result.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mail {

constexpr std::size_t max_sasl_line = 12'288;    // characters of base64, RFC 4954 §4
constexpr std::size_t max_sasl_name = 255;       // bytes of authcid and authzid
constexpr std::size_t max_sasl_password = 1024;  // bytes

// What a line from the client says: base64, "*" to give up (Permanent), and as initial response "="
// for an empty one (RFC 4954 §4, RFC 4959 §3).  Invalid: bad base64, too long.
util::Result<std::string> decode_sasl_line(std::string_view line, bool initial);

enum class Mechanism : unsigned char { Plain, Login, ScramSha256, ScramSha256Plus };

std::optional<Mechanism> find_mechanism(std::string_view name);  // in any case
std::string_view name_of(Mechanism mechanism);
// Does the client speak first, so that an initial response makes sense?
bool client_begins(Mechanism mechanism);

struct SaslStep {
    enum class Kind : unsigned char {
        Challenge,      // send `text` to the client; its answer goes into step()
        CheckPassword,  // authcid(), authzid() and password() are there: the owner decides; the end
        FindVerifier,   // find the ScramVerifiers of authcid(), then call use_verifiers()
        Success,        // proved: authcid() may act as authzid()
        Failure,        // `text` is for the log; the client is told "authentication failed"
        BadSyntax,      // the client broke the mechanism's rules: `text`
    };
    Kind kind = Kind::Failure;
    std::string text;
};

class SaslExchange {
public:
    // `nonce` as for ScramServer; not used by PLAIN and LOGIN.
    SaslExchange(Mechanism mechanism, ChannelBinding binding, std::string nonce);

    // The client's next response, decoded; nullopt when it began without an initial one.
    SaslStep step(std::optional<std::string_view> response);
    // After FindVerifier; as for ScramServer::challenge().
    SaslStep use_verifiers(std::vector<ScramVerifier> verifiers);
    // After Success: for which of them the proof was.
    std::size_t proved() const { return scram_.proved(); }

    Mechanism mechanism() const { return mechanism_; }
    // Names in form C, the password as prepare_password() has it (normal_form.h).
    const std::string& authcid() const { return authcid_; }
    // As whom to act; empty: as authcid().
    const std::string& authzid() const { return authzid_; }
    const std::string& password() const { return password_; }

private:
    SaslStep plain(std::string_view message);
    SaslStep login(std::string_view message);
    SaslStep scram(std::string_view message);

    Mechanism mechanism_;
    ScramServer scram_;
    int round_ = 0;
    bool begun_ = false;
    std::string authcid_;
    std::string authzid_;
    std::string password_;
};

}  // namespace mail
