// Formats of unique ids: whatever is taken makes ids that POP3 allows.
#include "libmail/uidl_format.h"
#include "libutil/check.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    auto format = mail::UidlFormat::parse({reinterpret_cast<const char*>(data), size});
    if (!format.ok())
        return 0;
    std::string first;
    std::string second;
    format->append(first, UINT32_MAX, UINT32_MAX);
    format->append(second, UINT32_MAX, UINT32_MAX - 1);
    CHECK(first != second);
    for (const auto& id : {first, second}) {
        CHECK(!id.empty() && id.size() <= mail::max_uidl_length);
        for (char c : id)
            CHECK(c >= 0x21 && c <= 0x7e);
    }
    return 0;
}
