// Text: joining, splitting, trimming, ASCII case, numbers.  Bytes from the net are string_views
// too; nothing here depends on the locale and nothing throws.
#pragma once

#include "libutil/result.h"

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace util {

namespace detail {

// One piece of concat(): text as it is, integers in decimal, bool as yes or no.
class Piece {
public:
    Piece(std::string_view text) : text_(text) {}
    Piece(const std::string& text) : text_(text) {}
    Piece(const char* text) : text_(text) {}
    Piece(char byte) : text_(digits_, 1) { digits_[0] = byte; }
    Piece(bool value) : text_(value ? "yes" : "no") {}
    template <std::integral Integer>
        requires(!std::same_as<Integer, char> && !std::same_as<Integer, bool>)
    Piece(Integer value)
        : text_(digits_, std::size_t(std::to_chars(digits_, digits_ + sizeof digits_, value).ptr - digits_))
    {
    }
    Piece(const Piece&) = delete;
    Piece& operator=(const Piece&) = delete;

    std::string_view text() const { return text_; }

private:
    char digits_[24];
    std::string_view text_;
};

std::string concat_pieces(std::initializer_list<std::string_view> pieces);
void append_pieces(std::string& out, std::initializer_list<std::string_view> pieces);

}  // namespace detail

// The pieces in a row: concat("to=<", address, ">, delay=", seconds).
template <typename... Parts>
[[nodiscard]] std::string concat(const Parts&... parts)
{
    return detail::concat_pieces({detail::Piece(parts).text()...});
}

// The same, at the end of `out`.
template <typename... Parts>
void append(std::string& out, const Parts&... parts)
{
    detail::append_pieces(out, {detail::Piece(parts).text()...});
}

// ASCII only: bytes of 128 and above are left alone (RFC 5321 §2.4, RFC 6531).
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; }
constexpr char to_upper(char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
constexpr bool is_alnum(char c) { return is_digit(c) || is_alpha(c); }
constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_printable(char c) { return c >= ' ' && c <= '~'; }

std::string lower(std::string_view text);
std::string upper(std::string_view text);
bool equal_nocase(std::string_view a, std::string_view b);
bool starts_with_nocase(std::string_view text, std::string_view prefix);
bool ends_with_nocase(std::string_view text, std::string_view suffix);

// Hash and equality for maps whose keys compare without regard to ASCII case.
struct HashNocase {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const;
};
struct EqualNocase {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const { return equal_nocase(a, b); }
};

// Hash for maps keyed by std::string that are searched by string_view.
struct HashText {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const
    {
        return std::hash<std::string_view>{}(text);
    }
};

std::string_view trim(std::string_view text);        // white space on both sides
std::string_view trim_left(std::string_view text);
std::string_view trim_right(std::string_view text);

// The pieces between separators; "a,,b" has an empty one in the middle, "" is one empty piece.
std::vector<std::string_view> split(std::string_view text, char separator);

// The words between runs of the given separators (white space and comma if none are named).
std::vector<std::string_view> split_words(std::string_view text,
                                          std::string_view separators = ", \t\r\n");

// What stands before and after the first separator; second is empty when there is none.
std::pair<std::string_view, std::string_view> split_first(std::string_view text, char separator);

// A whole decimal number without sign or space; Invalid when it is anything else, or too large.
Result<std::uint64_t> parse_unsigned(std::string_view text, std::uint64_t max = UINT64_MAX);
Result<std::int64_t> parse_signed(std::string_view text);

std::string hex(std::string_view bytes);
Result<std::string> unhex(std::string_view text);

// RFC 4648 §4.  decode_base64 is strict: padding, no white space, no stray bits.
std::string encode_base64(std::string_view bytes);
Result<std::string> decode_base64(std::string_view text);

// What may be shown in a log line: control bytes, DEL and backslash become \ooo or \\; at most
// `limit` bytes of input, then "...".
std::string printable(std::string_view bytes, std::size_t limit = 1000);

// Is this valid UTF-8 (RFC 3629: shortest form, no surrogates, up to U+10FFFF)?
bool is_utf8(std::string_view bytes);
bool is_ascii(std::string_view bytes);

// Equality whose time depends on the lengths only.
bool equal_constant_time(std::string_view a, std::string_view b);

// A text as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
std::string json_quote(std::string_view text);

}  // namespace util
