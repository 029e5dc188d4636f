// Signed answers of name servers: nothing that comes from outside proves anything without a good signature.
//
// The input is a message; the keys are one that no corpus knows the other half of.
#include "libnet/dns_proof.h"
#include "libutil/check.h"

namespace {

using namespace net::dns;

const ZoneKeys& keys()
{
    static const ZoneKeys made = [] {
        ZoneKeys zone{"example", {}};
        zone.keys = parse_trust_anchor(". IN DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+"
                                       "KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==").take();
        return zone;
    }();
    return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    auto message = SignedMessage::parse({reinterpret_cast<const char*>(data), size});
    if (!message.ok())
        return 0;
    constexpr std::uint16_t mx = 15, dname = type_number::dname;
    ProofBounds bounds{.now = util::from_unix_seconds(1'700'000'000)};
    for (std::string_view name : {"a.example", "example", ""}) {
        for (std::uint16_t type : {mx, dname, type_number::ds, type_number::nsec}) {
            CHECK(message->signers(name, type).size() <= 4);
            CHECK(!message->prove(name, type, keys(), bounds));
            CHECK(message->deny(name, type, keys(), bounds) == Denial::None);
        }
        CHECK(message->deny_closer("b.a.example", 1, keys(), bounds) == Denial::None);
        CHECK(!message->keys_by(name, message->usable_ds(name), bounds) || message->has(name, type_number::ds));
        (void)message->redirection_of(name);
        (void)message->denying_zone();
    }
    CHECK(bounds.verifications <= max_verifications);
    return 0;
}
