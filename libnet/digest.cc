#include "libnet/digest.h"

#include "libutil/check.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace net {

namespace {

const EVP_MD* method_of(Digest digest)
{
    switch (digest) {
    case Digest::Md5: return EVP_md5();
    case Digest::Sha1: return EVP_sha1();
    case Digest::Sha256: return EVP_sha256();
    }
    return EVP_sha256();
}

const unsigned char* bytes_of(std::string_view text)
{
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::size_t size_of(Digest digest) { return std::size_t(EVP_MD_get_size(method_of(digest))); }

std::string digest_of(Digest digest, std::string_view bytes)
{
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    CHECK(EVP_Digest(bytes.data(), bytes.size(), value, &size, method_of(digest), nullptr) == 1);
    return {reinterpret_cast<const char*>(value), size};
}

std::string hmac(Digest digest, std::string_view key, std::string_view bytes)
{
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    // A null key would mean "the one from before".
    const void* key_bytes = key.empty() ? "" : key.data();
    CHECK(HMAC(method_of(digest), key_bytes, int(key.size()), bytes_of(bytes), bytes.size(), value, &size));
    return {reinterpret_cast<const char*>(value), size};
}

util::Result<std::string> pbkdf2(Digest digest, std::string_view password, std::string_view salt, std::uint32_t iterations,
                                 std::optional<std::size_t> size)
{
    std::size_t wanted = size.value_or(size_of(digest));
    if (iterations == 0 || iterations > INT32_MAX || wanted == 0 || wanted > max_derived_key)
        return util::invalid("PBKDF2: iterations or size out of range");
    std::string key(wanted, '\0');
    const char* text = password.empty() ? "" : password.data();
    int done = PKCS5_PBKDF2_HMAC(text, int(password.size()), bytes_of(salt), int(salt.size()), int(iterations),
                                 method_of(digest), int(key.size()), reinterpret_cast<unsigned char*>(key.data()));
    if (done != 1)
        return util::temporary("PBKDF2 failed");
    return key;
}

}  // namespace net
