#include "libnet/crypto.h"

#include "libnet/digest.h"

namespace net {

std::string sha256(std::string_view bytes) { return digest_of(Digest::Sha256, bytes); }

std::string hmac_sha256(std::string_view key, std::string_view bytes) { return hmac(Digest::Sha256, key, bytes); }

util::Result<std::string> pbkdf2_sha256(std::string_view password, std::string_view salt,
                                        std::uint32_t iterations, std::size_t size)
{
    return pbkdf2(Digest::Sha256, password, salt, iterations, size);
}

}  // namespace net
