// Passwords of ternuser(1): where they come from, and what is stored of them.
#pragma once

#include "libconf/credentials_file.h"
#include "libutil/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace ternuser {

// From standard input up to the end of the line, or asked for twice at the terminal.  Invalid:
// empty, longer than mail::max_sasl_password, control characters, not UTF-8, not the same twice.
util::Result<std::string> read_password(bool from_stdin);

enum class Scheme : std::uint8_t { Yescrypt, Sha512, Bcrypt, Plain };
util::Result<Scheme> parse_scheme(std::string_view name);

// Hash and SCRAM verifier of a password.
util::Result<conf::Credential> make_credential(std::string address, const std::string& password, Scheme scheme,
                                               std::uint32_t scram_iterations);

}  // namespace ternuser
