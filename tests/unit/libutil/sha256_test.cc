// libutil/sha256.h
#include "libutil/sha256.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

using namespace util;

namespace {

TEST(sha256_has_the_known_digests)
{
    // The first three by NIST; the others lie at the borders of a block and its padding.
    const std::pair<std::string, std::string_view> vectors[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {std::string(1'000'000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
        {std::string(55, 'x'), "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072"},
        {std::string(56, 'x'), "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e"},
        {std::string(63, 'x'), "75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2"},
        {std::string(64, 'x'), "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c"},
        {std::string(65, 'x'), "9537c5fdf120482f7d58d25e9ed583f52c02b4e304ea814db1633ad565aed7e9"},
    };
    for (const auto& [text, digest] : vectors)
        EQ(hex(sha256(text)), digest);
}
END_TEST

TEST(hmac_has_the_vectors_of_rfc_4231)
{
    // RFC 4231 §4.2, §4.3 and §4.7, whose key is longer than a block.
    EQ(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EQ(hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
END_TEST

}  // namespace

SUITE(sha256, sha256_has_the_known_digests, hmac_has_the_vectors_of_rfc_4231)
