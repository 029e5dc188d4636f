// Passwords of ternuser(1): where they come from, and what is stored of them.
#pragma once

#include "libconf/credentials_file.h"
#include "libconf/logins_file.h"
#include "libutil/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ternuser {

// From standard input up to the end of the line, or asked for twice at the terminal.  Invalid:
// empty, longer than mail::max_sasl_password, control characters, not UTF-8, not the same twice.
util::Result<std::string> read_password(bool from_stdin);

enum class Scheme : std::uint8_t { Yescrypt, Sha512, Bcrypt, Plain };
util::Result<Scheme> parse_scheme(std::string_view name);

// What SCRAM verifiers are made with: all of one account must have the same (mail::ScramServer).
struct ScramSalt {
    std::string salt;
    std::uint32_t iterations = 0;
};
// Another one.
ScramSalt fresh_salt(std::uint32_t iterations);
// That of a verifier's text; nothing when it is none.
std::optional<ScramSalt> salt_of(std::string_view verifier);

// Hash and SCRAM verifier of a password.
util::Result<conf::Credential> make_credential(std::string address, const std::string& password, Scheme scheme,
                                               const ScramSalt& salt);

// An app password, with its secret for the only time.
struct NewAppPassword {
    std::string secret;
    conf::AppPassword app;
};
util::Result<NewAppPassword> make_app_password(std::string name, conf::LoginLimits limits, std::int64_t now,
                                               const ScramSalt& salt);

}  // namespace ternuser
