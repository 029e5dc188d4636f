#include "libmail/encoded_word.h"

#include "libmail/charset.h"
#include "libmail/encoding.h"
#include "libmail/header.h"
#include "libutil/text.h"

#include <algorithm>
#include <optional>

namespace mail {

namespace {

struct Word {
    std::string_view charset;
    char encoding = 0;  // 'b' or 'q'
    std::string_view text;
    std::size_t size = 0;  // in the source
};

// The encoded-word at the start of `text`: =?charset?encoding?text?=
std::optional<Word> read_word(std::string_view text)
{
    if (!text.starts_with("=?"))
        return std::nullopt;
    std::size_t charset_end = text.find('?', 2);
    if (charset_end == std::string_view::npos || charset_end == 2 || charset_end + 3 >= text.size() ||
        charset_end > 80 || text[charset_end + 2] != '?')
        return std::nullopt;
    Word word;
    word.charset = text.substr(2, charset_end - 2);
    word.charset = word.charset.substr(0, word.charset.find('*'));  // RFC 2231 §5: *language
    word.encoding = util::to_lower(text[charset_end + 1]);
    if (word.encoding != 'b' && word.encoding != 'q')
        return std::nullopt;
    // RFC 2047 §2 allows 75 characters and no blanks; long words are common, and some hold blanks.
    // No question mark stands within the text, so that looking for its end is cheap.
    std::size_t start = charset_end + 3;
    std::size_t end = text.find('?', start);
    if (end == std::string_view::npos || text.substr(end, 2) != "?=")
        return std::nullopt;
    word.text = text.substr(start, end - start);
    word.size = end + 2;
    return is_known_charset(word.charset) ? std::optional(word) : std::nullopt;
}

std::string decode_q(std::string_view text)
{
    std::string spaced(text);
    std::ranges::replace(spaced, '_', ' ');
    // Blanks at the end are content here, unlike in a body; the end mark keeps them.
    std::string decoded = decode_quoted_printable(spaced + '.');
    decoded.pop_back();
    return decoded;
}

bool same_encoding(const Word& a, const Word& b)
{
    return a.encoding == b.encoding && util::equal_nocase(a.charset, b.charset);
}

// Control bytes in decoded text could break a line or a log.
char clean(char c)
{
    return static_cast<unsigned char>(c) < ' ' || c == 127 ? ' ' : c;
}

void append_clean(std::string& out, std::string_view text)
{
    for (char c : text)
        out += clean(c);
}

}  // namespace

std::string decode_header_text(std::string_view value)
{
    std::string source = unfold(value.substr(0, 4 * max_decoded_header));
    if (source.find("=?") == source.npos && util::is_ascii(source)) {   // nearly all of them
        source.resize(std::min(source.size(), max_decoded_header));
        for (char& c : source)
            c = clean(c);
        return source;
    }
    std::string_view text = source;
    std::string out;
    std::string pending;   // bytes of the words that are being joined
    std::optional<Word> last;
    std::size_t at = 0;
    // Words in one charset are joined before the conversion: many senders split characters.
    auto flush = [&] {
        if (last)
            append_clean(out, to_utf8(pending, last->charset));
        pending.clear();
        last.reset();
    };
    while (at < text.size() && out.size() + pending.size() < max_decoded_header) {
        std::size_t blank_end = std::min(text.find_first_not_of(" \t", at), text.size());
        bool may_join = last && blank_end < text.size();
        std::size_t word_at = may_join ? blank_end : at;
        std::optional<Word> word = read_word(text.substr(word_at));
        if (word) {
            if (last && !same_encoding(*last, *word))
                flush();
            pending += word->encoding == 'b' ? decode_base64_lenient(word->text) : decode_q(word->text);
            last = word;
            at = word_at + word->size;
            continue;
        }
        flush();
        std::size_t next = std::min(text.find("=?", at + 1), text.size());
        append_clean(out, to_utf8(text.substr(at, next - at), "us-ascii"));
        at = next;
    }
    flush();
    if (out.size() > max_decoded_header)
        out = to_utf8(std::string_view(out).substr(0, max_decoded_header), "utf-8");
    return out;
}

std::string encode_header_text(std::string_view utf8)
{
    bool plain = utf8.find("=?") == std::string_view::npos;
    for (char c : utf8)
        plain = plain && util::is_printable(c);
    if (plain)
        return std::string(utf8);
    constexpr std::string_view begin = "=?utf-8?B?";
    constexpr std::size_t room = (75 - begin.size() - 2) / 4 * 3;  // bytes of text in a word
    std::string out;
    for (std::size_t at = 0; at < utf8.size();) {
        std::size_t end = std::min(at + room, utf8.size());
        while (end < utf8.size() && end > at + 1 && (static_cast<unsigned char>(utf8[end]) & 0xC0) == 0x80)
            --end;
        util::append(out, out.empty() ? "" : " ", begin, util::encode_base64(utf8.substr(at, end - at)), "?=");
        at = end;
    }
    return out;
}

}  // namespace mail
