// Text: joining, splitting, numbers, hex, base64, UTF-8 and JSON strings.
#include "libutil/text.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace util {

namespace detail {

std::string concat_pieces(std::initializer_list<std::string_view> pieces)
{
    std::string out;
    append_pieces(out, pieces);
    return out;
}

void append_pieces(std::string& out, std::initializer_list<std::string_view> pieces)
{
    std::size_t size = out.size();
    for (std::string_view piece : pieces)
        size += piece.size();
    // At least doubling keeps many small appends linear.
    if (size > out.capacity())
        out.reserve(std::max(size, out.capacity() * 2));
    for (std::string_view piece : pieces)
        out.append(piece);
}

}  // namespace detail

std::string lower(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = to_lower(c);
    return out;
}

std::string upper(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = to_upper(c);
    return out;
}

bool equal_nocase(std::string_view a, std::string_view b)
{
    if (a.size() != b.size())
        return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (to_lower(a[i]) != to_lower(b[i]))
            return false;
    }
    return true;
}

bool starts_with_nocase(std::string_view text, std::string_view prefix)
{
    return equal_nocase(text.substr(0, prefix.size()), prefix);
}

bool ends_with_nocase(std::string_view text, std::string_view suffix)
{
    return text.size() >= suffix.size() &&
           equal_nocase(text.substr(text.size() - suffix.size()), suffix);
}

std::size_t HashNocase::operator()(std::string_view text) const
{
    return std::hash<std::string_view>{}(lower(text));
}

std::string_view trim(std::string_view text) { return trim_left(trim_right(text)); }

std::string_view trim_left(std::string_view text)
{
    while (!text.empty() && is_space(text.front()))
        text.remove_prefix(1);
    return text;
}

std::string_view trim_right(std::string_view text)
{
    while (!text.empty() && is_space(text.back()))
        text.remove_suffix(1);
    return text;
}

std::vector<std::string_view> split(std::string_view text, char separator)
{
    std::vector<std::string_view> pieces;
    for (;;) {
        std::size_t at = text.find(separator);
        pieces.push_back(text.substr(0, at));
        if (at == std::string_view::npos)
            return pieces;
        text.remove_prefix(at + 1);
    }
}

std::vector<std::string_view> split_words(std::string_view text, std::string_view separators)
{
    std::vector<std::string_view> words;
    for (;;) {
        std::size_t begin = text.find_first_not_of(separators);
        if (begin == std::string_view::npos)
            return words;
        text.remove_prefix(begin);
        std::size_t end = std::min(text.find_first_of(separators), text.size());
        words.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
}

std::pair<std::string_view, std::string_view> split_first(std::string_view text, char separator)
{
    std::size_t at = text.find(separator);
    if (at == std::string_view::npos)
        return {text, {}};
    return {text.substr(0, at), text.substr(at + 1)};
}

Result<std::uint64_t> parse_unsigned(std::string_view text, std::uint64_t max)
{
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    auto [rest, code] = std::from_chars(text.data(), end, value);
    if (code == std::errc::result_out_of_range || (code == std::errc() && rest == end && value > max))
        return invalid(concat("number too large: ", printable(text, 40)));
    if (code != std::errc() || rest != end)
        return invalid(concat("not a number: \"", printable(text, 40), "\""));
    return value;
}

Result<std::int64_t> parse_signed(std::string_view text)
{
    std::int64_t value = 0;
    const char* end = text.data() + text.size();
    auto [rest, code] = std::from_chars(text.data(), end, value);
    if (code == std::errc::result_out_of_range)
        return invalid(concat("number too large: ", printable(text, 40)));
    if (code != std::errc() || rest != end)
        return invalid(concat("not a number: \"", printable(text, 40), "\""));
    return value;
}

std::string hex(std::string_view bytes)
{
    constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (char byte : bytes) {
        auto value = static_cast<unsigned char>(byte);
        out.push_back(digits[value >> 4]);
        out.push_back(digits[value & 15]);
    }
    return out;
}

namespace {

int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    c = to_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

constexpr char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<signed char, 256> base64_values = [] {
    std::array<signed char, 256> table{};
    for (auto& value : table)
        value = -1;
    for (int i = 0; i < 64; ++i)
        table[static_cast<unsigned char>(base64_digits[i])] = static_cast<signed char>(i);
    return table;
}();

// The length of the UTF-8 character at the start of `bytes`, or 0 when it is not one (RFC 3629 §4).
std::size_t utf8_length(std::string_view bytes)
{
    auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    unsigned char first = at(0);
    if (first < 0x80)
        return 1;
    std::size_t length = first >= 0xc2 && first < 0xe0 ? 2
                         : first >= 0xe0 && first < 0xf0 ? 3
                         : first >= 0xf0 && first < 0xf5 ? 4
                                                         : 0;
    if (length == 0 || bytes.size() < length)
        return 0;
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (at(1) < low || at(1) > high)
        return 0;
    for (std::size_t i = 2; i < length; ++i) {
        if ((at(i) & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

}  // namespace

Result<std::string> unhex(std::string_view text)
{
    if (text.size() % 2 != 0)
        return invalid("odd number of hexadecimal digits");
    std::string out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        int high = hex_value(text[i]);
        int low = hex_value(text[i + 1]);
        if (high < 0 || low < 0)
            return invalid("not a hexadecimal digit");
        out.push_back(static_cast<char>(high << 4 | low));
    }
    return out;
}

std::string encode_base64(std::string_view bytes)
{
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    auto at = [&](std::size_t i) -> unsigned {
        return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u;
    };
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        unsigned group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
        out.push_back(base64_digits[group >> 18]);
        out.push_back(base64_digits[group >> 12 & 63]);
        out.push_back(i + 1 < bytes.size() ? base64_digits[group >> 6 & 63] : '=');
        out.push_back(i + 2 < bytes.size() ? base64_digits[group & 63] : '=');
    }
    return out;
}

Result<std::string> decode_base64(std::string_view text)
{
    if (text.size() % 4 != 0)
        return invalid("base64 text is not a multiple of four characters");
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=')
        ++padding;
    std::string out;
    out.reserve(text.size() / 4 * 3);
    std::uint32_t group = 0;
    unsigned bits = 0;
    for (char c : text.substr(0, text.size() - padding)) {
        int value = base64_values[static_cast<unsigned char>(c)];
        if (value < 0)
            return invalid("a character that is not of base64");
        group = group << 6 | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out.push_back(static_cast<char>(group >> bits & 0xff));
        }
    }
    // RFC 4648 §3.5: the bits that padding leaves over must be zero.
    if ((group & ((1u << bits) - 1)) != 0)
        return invalid("stray bits at the end of base64 text");
    return out;
}

namespace {

// Bytes of the character at the start of `bytes`, if it may be shown as it is: 0 for control characters, also
// those above 0x7f that terminals obey, for line separators, and for what is no UTF-8.
std::size_t shown_length(std::string_view bytes)
{
    auto first = static_cast<unsigned char>(bytes.front());
    if (first < 0x80)
        return first >= 0x20 && first != 0x7f ? 1 : 0;
    bool control = first == 0xc2 && bytes.size() > 1 && static_cast<unsigned char>(bytes[1]) < 0xa0;
    bool separator = bytes.starts_with("\xe2\x80\xa8") || bytes.starts_with("\xe2\x80\xa9");
    return control || separator ? 0 : utf8_length(bytes);
}

}  // namespace

std::string printable(std::string_view bytes, std::size_t limit)
{
    std::string out;
    limit = std::min(limit, bytes.size());
    out.reserve(limit + 3);
    std::size_t at = 0;
    while (at < limit) {
        std::size_t length = shown_length(bytes.substr(at));
        if (bytes[at] == '\\')
            out.push_back('\\');
        if (length == 0) {
            auto value = static_cast<unsigned char>(bytes[at]);
            out.push_back('\\');
            out.push_back(static_cast<char>('0' + (value >> 6)));
            out.push_back(static_cast<char>('0' + (value >> 3 & 7)));
            out.push_back(static_cast<char>('0' + (value & 7)));
            ++at;
        } else {
            out.append(bytes.substr(at, length));
            at += length;
        }
    }
    if (at < bytes.size())
        out.append("...");
    return out;
}

namespace {

// Bytes at the start of `bytes` that are certainly ASCII, eight at a time: most text is nothing else.
std::size_t ascii_run(std::string_view bytes)
{
    std::size_t at = 0;
    for (std::uint64_t word; at + sizeof word <= bytes.size(); at += sizeof word) {
        std::memcpy(&word, bytes.data() + at, sizeof word);
        if (word & 0x8080808080808080U)
            break;
    }
    return at;
}

}  // namespace

bool is_utf8(std::string_view bytes)
{
    while (true) {
        bytes.remove_prefix(ascii_run(bytes));
        if (bytes.empty())
            return true;
        std::size_t length = utf8_length(bytes);
        if (length == 0)
            return false;
        bytes.remove_prefix(length);
    }
}

bool is_ascii(std::string_view bytes)
{
    bytes.remove_prefix(ascii_run(bytes));
    return std::ranges::all_of(bytes, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool equal_constant_time(std::string_view a, std::string_view b)
{
    if (a.size() != b.size())
        return false;
    // volatile, so that no compiler turns the loop into an early exit.
    volatile unsigned char difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
    return difference == 0;
}

std::string json_quote(std::string_view text)
{
    std::string out = "\"";
    out.reserve(text.size() + 2);
    while (!text.empty()) {
        char c = text.front();
        std::size_t length = utf8_length(text);
        if (length == 0) {
            out.append("\xef\xbf\xbd");
            length = 1;
        } else if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (c == '\n') {
            out.append("\\n");
        } else if (c == '\t') {
            out.append("\\t");
        } else if (c == '\r') {
            out.append("\\r");
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            append(out, "\\u00", hex(text.substr(0, 1)));
        } else if (c == '\xc2' && static_cast<unsigned char>(text[1]) < 0xa0) {
            append(out, "\\u00", hex(text.substr(1, 1)));   // U+0080 to U+009F, which terminals obey
        } else {
            out.append(text.substr(0, length));
        }
        text.remove_prefix(length);
    }
    out.push_back('"');
    return out;
}

}  // namespace util
