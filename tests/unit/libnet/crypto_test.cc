// libnet/crypto.h and libutil/sha256.h say the same.
#include "libnet/crypto.h"

#include "libutil/random.h"
#include "libutil/sha256.h"
#include "tests/unit/suite.h"

TEST(both_have_the_same_digests)
{
    for (std::size_t size = 0; size < 300; ++size) {
        auto bytes = util::random_string(size);
        EQ(util::sha256(bytes) == net::sha256(bytes), true);
        auto key = util::random_string(size % 150);
        EQ(util::hmac_sha256(key, bytes) == net::hmac_sha256(key, bytes), true);
    }
}
END_TEST

SUITE(crypto, both_have_the_same_digests)
