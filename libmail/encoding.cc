#include "libmail/encoding.h"

#include "libutil/text.h"

#include <array>

namespace mail {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t not_base64 = 255;

constexpr std::array<std::uint8_t, 256> make_values()
{
    std::array<std::uint8_t, 256> values{};
    values.fill(not_base64);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        values[static_cast<unsigned char>(alphabet[i])] = std::uint8_t(i);
    return values;
}

constexpr std::array<std::uint8_t, 256> values = make_values();

std::uint8_t value_of(char c) { return values[static_cast<unsigned char>(c)]; }

int hex_digit(char c)
{
    if (util::is_digit(c))
        return c - '0';
    c = util::to_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

std::string decode_base64_lenient(std::string_view text, std::size_t limit)
{
    std::string out;
    out.reserve(std::min(limit, text.size() / 4 * 3 + 3));
    std::uint32_t bits = 0;
    unsigned count = 0;  // characters of the quantum so far
    for (std::size_t i = 0; i < text.size() && out.size() < limit; ++i) {
        std::uint8_t value = value_of(text[i]);
        if (value != not_base64) {
            bits = (bits << 6) | value;
            if (++count < 4)
                continue;
            out += char(bits >> 16);
            out += char(bits >> 8);
            out += char(bits);
        } else if (text[i] == '=') {
            if (count >= 2)
                out += char(bits >> (count == 2 ? 4 : 10));
            if (count == 3)
                out += char(bits >> 2);
        } else {
            continue;
        }
        bits = 0;
        count = 0;
    }
    if (count >= 2)  // the padding is missing
        out += char(bits >> (count == 2 ? 4 : 10));
    if (count == 3)
        out += char(bits >> 2);
    if (out.size() > limit)
        out.resize(limit);
    return out;
}

std::string encode_base64_lines(std::string_view bytes)
{
    std::string out;
    out.reserve(bytes.size() / 57 * 78 + 80);
    for (std::size_t at = 0; at < bytes.size(); at += 57)
        util::append(out, util::encode_base64(bytes.substr(at, 57)), "\r\n");
    return out;
}

namespace {

// One line without its end and without trailing blanks; true if a soft line break ended it.
bool decode_quoted_line(std::string_view line, std::size_t limit, std::string& out)
{
    while (!line.empty() && out.size() < limit) {
        std::size_t special = std::min(line.find('='), line.size());
        out.append(line.substr(0, special));
        line.remove_prefix(special);
        if (line.empty())
            return false;
        int high = line.size() > 2 ? hex_digit(line[1]) : -1;
        int low = high >= 0 ? hex_digit(line[2]) : -1;
        if (line.size() == 1)
            return true;
        if (low >= 0)
            out += char(high * 16 + low);
        else
            out += '=';
        line.remove_prefix(low >= 0 ? 3 : 1);
    }
    return false;
}

}  // namespace

std::string decode_quoted_printable(std::string_view text, std::size_t limit)
{
    std::string out;
    out.reserve(std::min(limit, text.size()));
    while (!text.empty() && out.size() < limit) {
        std::size_t end = text.find('\n');
        std::size_t next = end == std::string_view::npos ? text.size() : end + 1;
        std::size_t content = end == std::string_view::npos ? next : end;
        if (end != std::string_view::npos && content > 0 && text[content - 1] == '\r')
            --content;
        // Blanks before a line end are dropped (RFC 2045 §6.7 rule 3).
        std::size_t kept = content;
        while (kept > 0 && util::is_blank(text[kept - 1]))
            --kept;
        if (!decode_quoted_line(text.substr(0, kept), limit, out))
            out.append(text.substr(content, next - content));
        text.remove_prefix(next);
    }
    if (out.size() > limit)
        out.resize(limit);
    return out;
}

std::string encode_quoted_printable(std::string_view text)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size() + text.size() / 16);
    std::size_t column = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        bool line_end = c == '\n' || text.substr(i, 2) == "\r\n";
        if (line_end) {
            i += c == '\r' ? 1 : 0;
            out += "\r\n";
            column = 0;
            continue;
        }
        bool before_end = i + 1 == text.size() || text[i + 1] == '\n' || text.substr(i + 1, 2) == "\r\n";
        bool plain = (util::is_printable(c) && c != '=' && c != ' ') || (util::is_blank(c) && !before_end);
        std::size_t width = plain ? 1 : 3;
        if (column + width > (before_end ? 76 : 75)) {
            out += "=\r\n";
            column = 0;
        }
        if (plain) {
            out += c;
        } else {
            auto byte = static_cast<unsigned char>(c);
            out += '=';
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
        column += width;
    }
    return out;
}

void append_utf8(std::string& out, std::uint32_t point)
{
    if (point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
        point = 0xFFFD;
    if (point < 0x80) {
        out += char(point);
        return;
    }
    if (point < 0x800) {
        out += char(0xC0 | (point >> 6));
    } else {
        if (point < 0x10000) {
            out += char(0xE0 | (point >> 12));
        } else {
            out += char(0xF0 | (point >> 18));
            out += char(0x80 | ((point >> 12) & 63));
        }
        out += char(0x80 | ((point >> 6) & 63));
    }
    out += char(0x80 | (point & 63));
}

std::uint32_t next_code_point(std::string_view text, std::size_t& at)
{
    auto byte = [&](std::size_t i) { return std::uint32_t(static_cast<unsigned char>(text[i])); };
    std::uint32_t first = byte(at++);
    if (first < 0x80)
        return first;
    std::size_t more = first < 0xC2 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : first < 0xF5 ? 3 : 0;
    if (more == 0 || at + more > text.size())
        return 0xFFFD;
    std::uint32_t point = first & (0x3FU >> more);
    for (std::size_t i = 0; i < more; ++i) {
        if ((byte(at + i) & 0xC0) != 0x80)
            return 0xFFFD;
        point = (point << 6) | (byte(at + i) & 63);
    }
    constexpr std::uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (point < least[more] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
        return 0xFFFD;
    at += more;
    return point;
}

}  // namespace mail
