// SASL, the client's side: PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195), SCRAM-SHA-1 and SCRAM-SHA-256
// with -PLUS (RFC 5802, RFC 7677), XOAUTH2 and OAUTHBEARER (RFC 7628).
//
// An exchange is a state machine over texts before and after base64.  The server's word that all is well
// counts only when finished() says that it has proved what the mechanism asks of it.
#pragma once

#include "libmail/scram.h"
#include "libnet/digest.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

struct SaslCredentials {
    std::string user;
    std::string secret;      // a password, or a bearer token
    bool is_token = false;
    std::string host;        // the server's name and port, for OAUTHBEARER
    std::uint16_t port = 0;
};

// What a mechanism is like, for smtp_sasl_security_options.
struct SaslMechanism {
    std::string_view name;
    bool plaintext = false;  // tells the server the password
    bool token = false;      // wants a bearer token, and no other wants one
    bool binding = false;    // binds to the TLS channel
    bool mutual = false;     // the server proves that it knows the password
    bool active = false;     // withstands a man in the middle without TLS
};

// Those that there are, the best first.
std::span<const SaslMechanism> sasl_client_mechanisms();

class SaslClient {
public:
    virtual ~SaslClient() = default;

    // What the client says first; nothing where the server begins.
    virtual std::optional<std::string> initial() = 0;
    // Invalid: the server breaks the mechanism's rules.  Permanent: it failed to prove itself.
    virtual util::Result<std::string> respond(std::string_view challenge) = 0;
    // Has the server nothing left to prove?
    virtual bool finished() const { return true; }
};

// The nonce as for ScramServer.  Null: there is no such mechanism, or credentials or channel do not fit it.
std::unique_ptr<SaslClient> make_sasl_client(std::string_view mechanism, SaslCredentials credentials,
                                             const ChannelBinding& binding, std::string nonce);

}  // namespace mail
