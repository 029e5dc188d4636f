// What a mailbox process says to ternbox.
#include "libutil/check.h"
#include "tools/ternbox/response.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view line(reinterpret_cast<const char*>(data), size);
    auto response = ternbox::parse_response(line);
    if (response.ok()) {
        CHECK(!response->tag.empty());
        (void)response->after("UID");
    }
    (void)ternbox::announced_literal(line);
    return 0;
}
