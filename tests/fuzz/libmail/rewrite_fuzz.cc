// Addresses edited in place: what is left is the same field, with the same addresses but for those changed.
#include "libmail/address_edit.h"
#include "libutil/check.h"
#include "libutil/text.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view input(reinterpret_cast<const char*>(data), size);
    std::size_t asked = 0;
    auto edits =
        mail::edit_addresses(input, 1000, [&](const mail::Address& address) -> util::Result<std::optional<mail::Address>> {
            CHECK(!address.is_null());
            CHECK(mail::parse_address(mail::to_text(address)).ok());
            ++asked;
            return std::optional(mail::Address{"user", "new.example"});
        });
    CHECK(edits.ok());
    std::size_t at = 0;
    for (const mail::Edit& edit : *edits) {
        CHECK(edit.offset >= at && edit.length > 0 && edit.offset + edit.length <= size);
        at = edit.offset + edit.length;
    }
    std::string text = mail::apply_edits(input, *edits);
    // A second time the same addresses are found, and they are done.
    std::size_t again = 0;
    auto nothing =
        mail::edit_addresses(text, 1000, [&](const mail::Address& address) -> util::Result<std::optional<mail::Address>> {
            CHECK(address.local_part == "user" && address.domain == "new.example");
            ++again;
            return std::optional<mail::Address>();
        });
    CHECK(nothing.ok() && nothing->empty());
    CHECK(again >= asked);
    return 0;
}
