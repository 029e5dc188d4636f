// The texts of a message that a search looks at.
#include "libsearch/text.h"

#include "libmail/casefold.h"
#include "libmail/charset.h"
#include "libmail/encoded_word.h"
#include "libmail/encoding.h"
#include "libmail/header.h"
#include "libmail/imap_render.h"

#include <cstring>

namespace search {

std::string folded_needle(std::string_view bytes, std::string_view charset)
{
    return mail::fold_case(mail::to_utf8(bytes, charset.empty() ? "utf-8" : charset));
}

bool header_value_contains(std::string_view value, std::string_view needle)
{
    return mail::contains_folded(mail::decode_header_text(value), needle);
}

bool each_text(std::string_view message, const mail::MimeTreeView& tree, bool with_header,
               const std::function<bool(const TextView&)>& take)
{
    for (const auto& part : tree.parts) {
        bool own = part.parent == mail::Part::none;
        if (with_header || !own) {
            mail::HeaderReader reader(message.substr(part.header, part.body - part.header));
            for (mail::FieldView field; reader.next(field);) {
                std::string folded = mail::fold_case(mail::decode_header_text(field.text));
                if (take({own ? Zone::Header : Zone::Body, folded}))
                    return true;
            }
        }
        if (!part.is_text())
            continue;
        std::string text = mail::decoded_start(message, part, mail::no_limit);
        const auto* charset = part.type.find("charset");
        text = mail::fold_case(mail::to_utf8(text, charset ? charset->value : "us-ascii"));
        if (take({Zone::Body, text, part.type.is("text", "html")}))
            return true;
    }
    return false;
}

bool message_contains(std::string_view message, const mail::MimeTreeView& tree, std::string_view needle, bool with_header)
{
    return each_text(message, tree, with_header, [needle](const TextView& text) {
        return needle.empty() || ::memmem(text.folded.data(), text.folded.size(), needle.data(), needle.size()) != nullptr;
    });
}

}  // namespace search
