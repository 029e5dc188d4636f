// Digests by name, and what is made of them, over OpenSSL: for protocols that let the other side choose.
#pragma once

#include "libutil/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace net {

enum class Digest : std::uint8_t {
    Md5,      // of old protocols only: CRAM-MD5
    Sha1,     // of old protocols only: SCRAM-SHA-1
    Sha256,
};

std::size_t size_of(Digest digest);  // bytes

// Raw bytes, not hexadecimal.
std::string digest_of(Digest digest, std::string_view bytes);
std::string hmac(Digest digest, std::string_view key, std::string_view bytes);

// RFC 8018 PBKDF2 with that HMAC: `size` bytes, or as many as the digest has (RFC 5802 calls that Hi()).  Invalid: no
// iterations; no size, or one above max_derived_key.
constexpr std::size_t max_derived_key = 1024;
util::Result<std::string> pbkdf2(Digest digest, std::string_view password, std::string_view salt, std::uint32_t iterations,
                                 std::optional<std::size_t> size = {});

}  // namespace net
