// SRS addresses: what is made of a sender leads back to it; what somebody else has made leads nowhere.
#include "libmail/srs.h"
#include "libutil/check.h"
#include "libutil/text.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view input(reinterpret_cast<const char*>(data), size);
    constexpr std::int64_t now = 1'795'000'000;
    mail::SrsSettings settings;
    settings.domain = "ours.example";
    settings.secrets = {"tops3cret", "another"};
    settings.hash_length = 20;
    mail::Srs srs(settings);
    if (auto secrets = mail::parse_srs_secrets(input))
        CHECK(!secrets->empty() && secrets->size() <= mail::max_srs_secrets);
    auto address = mail::parse_address(input);
    if (!address)
        return 0;
    if (auto made = srs.forward(*address, now)) {
        CHECK(mail::has_srs_form(made->local_part));
        auto text = mail::parse_address(mail::to_text(*made));
        CHECK(text && *text == *made);
        auto original = srs.reverse(*made, now);
        CHECK(original.ok());
        bool first = made->local_part.starts_with("SRS0=");
        CHECK(first ? *original == *address : original->local_part.starts_with("SRS0"));
        // As a system on the way may have it.
        auto lower = srs.reverse({util::lower(made->local_part), made->domain}, now);
        CHECK(lower && mail::equal_nocase(*lower, *original));
        // A second forwarder makes it no longer than needed, and leads to the first one.
        if (auto again = srs.forward({made->local_part, "other.example"}, now); again && first)
            CHECK(*srs.reverse(*again, now) == (mail::Address{made->local_part, "other.example"}));
    }
    (void)srs.reverse({address->local_part, settings.domain}, now);
    return 0;
}
