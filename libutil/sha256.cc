// SHA-256 of libcrypto, by its functions that begin nothing else: EVP would load all of it into a static program, and
// seek its providers at each start.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "libutil/sha256.h"

#include <openssl/sha.h>

#include <algorithm>

namespace util {

static_assert(sha256_size == SHA256_DIGEST_LENGTH);

std::string sha256(std::string_view bytes)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, bytes.data(), bytes.size());
    SHA256_Final(digest, &context);
    return {reinterpret_cast<char*>(digest), sizeof digest};
}

std::string hmac_sha256(std::string_view key, std::string_view bytes)
{
    std::string block(key.size() > SHA256_CBLOCK ? sha256(key) : std::string(key));
    block.resize(SHA256_CBLOCK, '\0');
    auto padded = [&block](char pad) {
        std::string out = block;
        std::transform(out.begin(), out.end(), out.begin(), [pad](char c) { return static_cast<char>(c ^ pad); });
        return out;
    };
    return sha256(padded('\x5c') + sha256(padded('\x36').append(bytes)));
}

}  // namespace util
