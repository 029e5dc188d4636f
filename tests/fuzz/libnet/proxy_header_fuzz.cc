// The PROXY header: the same whatever the pieces are, never more than its limit, and addresses that
// are addresses.
#include "libconf/network.h"
#include "libnet/proxy_header.h"
#include "libutil/check.h"

#include <algorithm>

namespace {

struct Outcome {
    bool failed = false;
    bool done = false;
    std::size_t used = 0;
    net::ProxyHeader header;
    bool operator==(const Outcome&) const = default;
};

Outcome parse(std::string_view input, std::size_t step)
{
    net::ProxyHeaderParser parser;
    Outcome outcome;
    while (outcome.used < input.size() && !parser.done()) {
        std::string_view piece = input.substr(outcome.used, step);
        auto used = parser.take(piece);
        if (!used.ok()) {
            outcome = {};
            outcome.failed = true;
            return outcome;
        }
        CHECK(*used == piece.size() || parser.done());
        outcome.used += *used;
    }
    outcome.done = parser.done();
    if (outcome.done)
        outcome.header = parser.header();
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    std::string_view input(reinterpret_cast<const char*>(data), size);
    Outcome whole = parse(input, input.size() + 1);
    // A mistake may show earlier or later, but it shows, and what is good is so in any pieces.
    Outcome bytes = parse(input, 1), threes = parse(input, 3);
    if (whole.done)
        CHECK(whole == bytes && whole == threes);
    CHECK(whole.failed == bytes.failed && whole.failed == threes.failed);
    CHECK(whole.used <= net::max_proxy_header);
    CHECK(whole.header.client.has_value() == whole.header.server.has_value());
    for (const auto& end : {whole.header.client, whole.header.server})
        if (end)
            CHECK(conf::IpAddress::parse(end->address).ok());
    return 0;
}
