// A nexthop: what is taken for a destination can be written as one again.
#include "libutil/check.h"
#include "smtp/site/destination.h"
#include "libnet/hosts_file.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    for (bool lmtp : {false, true}) {
        auto destinations = smtp::parse_destinations(text, 25, lmtp);
        if (!destinations)
            continue;
        CHECK(destinations->size() <= smtp::max_destinations);
        for (const smtp::Destination& one : *destinations) {
            CHECK(!one.name.empty());
            CHECK(one.kind == smtp::Destination::Kind::Path || one.port != 0);
        }
    }
    for (const std::string& address : net::addresses_in_hosts(text, "localhost"))
        CHECK(!address.empty());
    return 0;
}
