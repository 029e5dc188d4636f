// Surrogates: what is internationalized becomes ASCII, field by field, and needs no surrogate any more.
#include "libmail/header.h"
#include "libmail/surrogate.h"
#include "libutil/check.h"
#include "libutil/text.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view message(reinterpret_cast<const char*>(data), size);
    auto surrogate = mail::make_surrogate(message);
    auto header = message.substr(0, mail::header_size(message));
    if (!surrogate) {
        CHECK(!mail::has_international_address(header));
        return 0;
    }
    CHECK(!mail::has_international_address(std::string_view(*surrogate).substr(0, mail::header_size(*surrogate))));
    CHECK(surrogate->size() <= message.size() + mail::max_surrogate_growth);
    return 0;
}
