// Text search in messages.
#include "imapd/engine/search_text.h"

#include "libmail/casefold.h"
#include "libmail/charset.h"
#include "libmail/encoding.h"
#include "libmail/header.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

namespace {

// "=?charset?B?text?=" at the start of `text` (RFC 2047 §2); its length, 0 if none stands there.
std::size_t decode_word(std::string_view text, std::string& out)
{
    auto charset_end = text.find('?', 2);
    if (charset_end == std::string_view::npos || charset_end + 3 >= text.size() ||
        text[charset_end + 2] != '?')
        return 0;
    auto end = text.find("?=", charset_end + 3);
    if (end == std::string_view::npos)
        return 0;
    auto body = text.substr(charset_end + 3, end - charset_end - 3);
    auto charset = text.substr(2, charset_end - 2);
    charset = charset.substr(0, charset.find('*'));  // the language, RFC 2231 §5
    std::string bytes;
    switch (util::to_lower(text[charset_end + 1])) {
    case 'b':
        bytes = mail::decode_base64_lenient(body);
        break;
    case 'q': {
        std::string with_blanks(body);
        std::replace(with_blanks.begin(), with_blanks.end(), '_', ' ');
        with_blanks += '.';  // so that a blank at the end is not taken for line padding
        bytes = mail::decode_quoted_printable(with_blanks);
        if (!bytes.empty())
            bytes.pop_back();
        break;
    }
    default:
        return 0;
    }
    out += mail::to_utf8(bytes, charset);
    return end + 2;
}

// An unfolded value with its encoded-words decoded; blanks between two of them go (RFC 2047 §6.2).
std::string decode_value(std::string_view value)
{
    auto text = mail::unfold(value);
    if (text.find("=?") == std::string::npos)
        return mail::to_utf8(text, "utf-8");
    std::string out;
    std::string_view rest = text;
    bool after_word = false;
    while (!rest.empty()) {
        auto start = rest.find("=?");
        auto plain = rest.substr(0, start);
        if (!(after_word && util::trim(plain).empty() && start != std::string_view::npos))
            out += mail::to_utf8(plain, "utf-8");
        if (start == std::string_view::npos)
            break;
        rest.remove_prefix(start);
        auto length = decode_word(rest, out);
        after_word = length > 0;
        if (!after_word) {
            out += rest.substr(0, 2);
            length = 2;
        }
        rest.remove_prefix(length);
    }
    return out;
}

bool header_contains(std::string_view header, std::string_view needle)
{
    mail::HeaderReader reader(header);
    for (mail::FieldView field; reader.next(field);)
        if (mail::contains_folded(decode_value(field.text), needle))
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
    return mail::contains_folded(decode_value(value), needle);
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
