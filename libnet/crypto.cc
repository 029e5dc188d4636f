#include "libnet/crypto.h"

#include "libutil/check.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

namespace net {

namespace {

const unsigned char* bytes_of(std::string_view text)
{
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string sha256(std::string_view bytes)
{
    unsigned char digest[sha256_size];
    unsigned size = 0;
    CHECK(EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr) == 1);
    CHECK(size == sha256_size);
    return {reinterpret_cast<const char*>(digest), size};
}

std::string hmac_sha256(std::string_view key, std::string_view bytes)
{
    unsigned char digest[sha256_size];
    unsigned size = 0;
    // A null key would mean "the one from before".
    const void* key_bytes = key.empty() ? "" : key.data();
    CHECK(HMAC(EVP_sha256(), key_bytes, int(key.size()), bytes_of(bytes), bytes.size(), digest, &size));
    CHECK(size == sha256_size);
    return {reinterpret_cast<const char*>(digest), size};
}

util::Result<std::string> pbkdf2_sha256(std::string_view password, std::string_view salt,
                                        std::uint32_t iterations, std::size_t size)
{
    if (iterations == 0 || iterations > INT32_MAX || size == 0 || size > 1024)
        return util::invalid("PBKDF2: iterations or size out of range");
    std::string key(size, '\0');
    const char* text = password.empty() ? "" : password.data();
    int done = PKCS5_PBKDF2_HMAC(text, int(password.size()), bytes_of(salt), int(salt.size()),
                                 int(iterations), EVP_sha256(), int(size),
                                 reinterpret_cast<unsigned char*>(key.data()));
    if (done != 1)
        return util::temporary("PBKDF2 failed");
    return key;
}

}  // namespace net
