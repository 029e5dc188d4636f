// A message in 7 bits: what was all ASCII and said nothing else stays, and the result is not much larger.
#include "libmail/seven_bit.h"
#include "libutil/check.h"
#include "libutil/text.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    std::string_view message(reinterpret_cast<const char*>(data), size);
    std::string converted = mail::to_seven_bit(message);
    // A byte becomes three, a line of 76 gets a soft break; each part may get three fields.
    CHECK(converted.size() <= message.size() * 100 + 200);
    if (util::is_ascii(message))
        CHECK(util::is_ascii(converted));
    return 0;
}
