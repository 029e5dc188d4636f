// Right sides of aliases and lines of .forward files.
#include "libmail/address.h"
#include "libmail/destinations.h"
#include "libutil/check.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    constexpr std::size_t limit = 20;
    std::string_view text(reinterpret_cast<const char*>(data), size);
    for (auto& found : {mail::parse_destinations(text, limit), mail::parse_destination_file(text, limit)}) {
        if (!found.ok())
            continue;
        CHECK(found->size() <= limit);
        for (const mail::Destination& one : *found) {
            CHECK(!one.text.empty() && one.text.size() <= mail::max_destination_length);
            CHECK(one.text.find('\n') == std::string::npos && one.text.find('\0') == std::string::npos);
            if (one.kind == mail::Destination::Kind::Address) {
                auto address = mail::parse_address(one.text);
                CHECK(address.ok() && mail::to_text(*address) == one.text);
            } else if (one.kind != mail::Destination::Kind::Command) {
                CHECK(one.text.front() == '/');
            }
        }
    }
    return 0;
}
