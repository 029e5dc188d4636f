// SHA-256 (RFC 6234) and HMAC (RFC 2104) with it, for programs that do not start OpenSSL: a mailbox process begins in a
// millisecond.  Programs that do use libnet/crypto.h.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace util {

constexpr std::size_t sha256_size = 32;   // bytes

// Raw bytes, not hexadecimal.
std::string sha256(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);

}  // namespace util
