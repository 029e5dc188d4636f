// Structured values of header fields, dates, sections.
#include "libmail/address_list.h"
#include "libmail/date.h"
#include "libmail/encoded_word.h"
#include "libmail/header.h"
#include "libmail/imap_render.h"
#include "libmail/media_type.h"
#include "libutil/check.h"
#include "libutil/text.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view input(reinterpret_cast<const char*>(data), size);
    for (const mail::ListEntry& entry : mail::parse_address_list(input))
        CHECK(entry.local_part.size() + entry.domain.size() + entry.name.size() <= 3 * size);
    if (auto media = mail::parse_media_type(input))
        CHECK(media->parameters.size() <= mail::max_mime_parameters);
    (void)mail::parse_disposition(input);
    (void)mail::message_ids(input, 3);
    std::string text = mail::decode_header_text(input);
    CHECK(util::is_utf8(text));
    CHECK(mail::decode_header_text(mail::encode_header_text(text)) == text || text.find("  ") != std::string::npos ||
          text.starts_with(' ') || text.ends_with(' ') || text.find("=?") != std::string::npos || text.size() > 30'000);
    if (auto date = mail::parse_date(input)) {
        auto again = mail::parse_date(mail::format_date(*date));
        CHECK(again && *again == *date);
        CHECK(mail::parse_internal_date(mail::format_internal_date(*date)) == date);
    }
    (void)mail::parse_internal_date(input);
    (void)mail::parse_imap_day(input);
    if (auto section = mail::parse_section(input); section.ok() && section->what != mail::Section::What::HeaderFields &&
                                                  section->what != mail::Section::What::HeaderFieldsNot)
        CHECK(util::equal_nocase(mail::section_text(*section), input));
    return 0;
}
