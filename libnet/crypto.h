// The few cryptographic functions that mail protocols name, over OpenSSL.
#pragma once

#include "libutil/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace net {

constexpr std::size_t sha256_size = 32;  // bytes

// Raw bytes, not hexadecimal.
std::string sha256(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);

// RFC 8018 PBKDF2 with HMAC-SHA-256, `size` bytes (RFC 5802 calls it Hi()).  Costs about 0.3 us an
// iteration.  Invalid: no iterations.
util::Result<std::string> pbkdf2_sha256(std::string_view password, std::string_view salt,
                                        std::uint32_t iterations, std::size_t size = sha256_size);

}  // namespace net
