// Text search in messages.
#include "imapd/engine/search_text.h"

#include "libmail/casefold.h"
#include "libmail/charset.h"
#include "libmail/encoded_word.h"
#include "libmail/encoding.h"
#include "libmail/header.h"

namespace imapd::engine {

namespace {

bool header_contains(std::string_view header, std::string_view needle)
{
    mail::HeaderReader reader(header);
    for (mail::FieldView field; reader.next(field);)
        if (mail::contains_folded(mail::decode_header_text(field.text), needle))
            return true;
    return false;
}

}  // namespace

std::string folded_needle(std::string_view bytes, std::string_view charset)
{
    return mail::fold_case(mail::to_utf8(bytes, charset.empty() ? "utf-8" : charset));
}

bool header_value_contains(std::string_view value, std::string_view needle)
{
    return mail::contains_folded(mail::decode_header_text(value), needle);
}

bool message_contains(std::string_view message, const mail::MimeTreeView& tree,
                      std::string_view needle, bool with_header)
{
    for (const auto& part : tree.parts) {
        auto header = message.substr(part.header, part.body - part.header);
        if ((with_header || part.parent != mail::Part::none) && header_contains(header, needle))
            return true;
        if (!part.is_text())
            continue;
        auto text = mail::decoded_start(message, part, mail::no_limit);
        const auto* charset = part.type.find("charset");
        if (mail::contains_folded(mail::to_utf8(text, charset ? charset->value : "us-ascii"), needle))
            return true;
    }
    return false;
}

}  // namespace imapd::engine
