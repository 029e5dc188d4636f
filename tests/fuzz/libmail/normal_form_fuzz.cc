// Form C: what is in it stays, and it is as valid as what it was made of.
#include "libmail/normal_form.h"
#include "libutil/check.h"
#include "libutil/text.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    std::string normal = mail::normal_form(text);
    CHECK(util::is_utf8(normal) == util::is_utf8(text));
    CHECK(mail::normal_form(normal) == normal);
    CHECK(normal.size() <= 3 * text.size());
    std::string password = mail::prepare_password(text);
    CHECK(mail::prepare_password(password) == password);
    return 0;
}
