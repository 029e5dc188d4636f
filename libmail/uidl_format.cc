// The unique ids of POP3.
#include "libmail/uidl_format.h"

#include "libutil/text.h"

#include <algorithm>
#include <charconv>

namespace mail {

namespace {

constexpr std::size_t decimal_digits = 10;   // of a 32-bit number
constexpr std::size_t hexadecimal_digits = 8;

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// A number of digits, from text[at] on; 0 if none stands there.
std::size_t read_width(std::string_view text, std::size_t& at)
{
    std::size_t width = 0;
    while (at < text.size() && is_digit(text[at]) && width <= max_uidl_length)
        width = width * 10 + std::size_t(text[at++] - '0');
    return width;
}

util::Error unknown(std::string_view variable)
{
    return util::invalid(util::concat("unknown variable \"", util::printable(variable, 60),
                                      "\": there are %u and %v, as %08Xu or %{uid | hex(8)}, too"));
}

}  // namespace

util::Result<UidlFormat> UidlFormat::parse(std::string_view text)
{
    UidlFormat format;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] != '%') {
            TRY(format.add_text(text[at++]));
        } else if (text.substr(at).starts_with("%%")) {
            TRY(format.add_text('%'));
            at += 2;
        } else if (text.substr(at).starts_with("%{")) {
            TRY(format.add_long(text, at));
        } else {
            TRY(format.add_short(text, at));
        }
    }
    if (std::ranges::none_of(format.pieces_, [](const Piece& piece) { return piece.kind == Kind::Uid; }))
        return util::invalid("ids without %u would not be unique");
    if (format.longest() > max_uidl_length)
        return util::invalid(util::concat("ids could be longer than ", max_uidl_length, " characters"));
    return format;
}

util::Result<void> UidlFormat::add_text(char c)
{
    if (c < 0x21 || c > 0x7e)
        return util::invalid("ids hold printable ASCII characters only, and no blanks");
    if (pieces_.empty() || pieces_.back().kind != Kind::Text)
        pieces_.emplace_back();
    pieces_.back().text += c;
    return {};
}

// "%u", "%08u", "%Xv", "%08Xv".
util::Result<void> UidlFormat::add_short(std::string_view text, std::size_t& at)
{
    auto begin = at++;
    Piece piece;
    bool zero = at < text.size() && text[at] == '0';
    piece.width = read_width(text, at);
    // Without the zero the width would cut, and ids would not be unique any more.
    if (piece.width > 0 && !zero)
        return util::invalid("a width begins with 0");
    if (at < text.size() && text[at] == 'X') {
        piece.hexadecimal = true;
        ++at;
    }
    char name = at < text.size() ? text[at++] : '\0';
    if (name != 'u' && name != 'v')
        return unknown(text.substr(begin, at - begin));
    piece.kind = name == 'u' ? Kind::Uid : Kind::UidValidity;
    pieces_.push_back(std::move(piece));
    return {};
}

// "%{uid}", "%{uidvalidity | hex}", "%{uid|hex(8)}".
util::Result<void> UidlFormat::add_long(std::string_view text, std::size_t& at)
{
    auto end = text.find('}', at);
    if (end == std::string_view::npos)
        return util::invalid("} is missing");
    auto whole = text.substr(at, end + 1 - at);
    auto [name, filter] = util::split_first(whole.substr(2, whole.size() - 3), '|');
    at = end + 1;
    Piece piece;
    name = util::trim(name);
    filter = util::trim(filter);
    if (name == "uid")
        piece.kind = Kind::Uid;
    else if (name == "uidvalidity")
        piece.kind = Kind::UidValidity;
    else
        return unknown(whole);
    if (filter.starts_with("hex(") && filter.ends_with(')')) {
        std::size_t from = 0;
        auto digits = filter.substr(4, filter.size() - 5);
        piece.width = read_width(digits, from);
        if (from == 0 || from != digits.size())
            return unknown(whole);
        piece.hexadecimal = true;
    } else if (filter == "hex") {
        piece.hexadecimal = true;
    } else if (!filter.empty()) {
        return unknown(whole);
    }
    pieces_.push_back(std::move(piece));
    return {};
}

std::size_t UidlFormat::longest() const
{
    std::size_t sum = 0;
    for (const auto& piece : pieces_)
        sum += piece.kind == Kind::Text
                   ? piece.text.size()
                   : std::max(piece.width, piece.hexadecimal ? hexadecimal_digits : decimal_digits);
    return sum;
}

void UidlFormat::append(std::string& out, std::uint32_t uid_validity, std::uint32_t uid) const
{
    for (const auto& piece : pieces_) {
        if (piece.kind == Kind::Text) {
            out += piece.text;
            continue;
        }
        char digits[decimal_digits];
        auto value = piece.kind == Kind::Uid ? uid : uid_validity;
        auto end = std::to_chars(std::begin(digits), std::end(digits), value, piece.hexadecimal ? 16 : 10).ptr;
        auto count = std::size_t(end - digits);
        out.append(piece.width > count ? piece.width - count : 0, '0');
        out.append(digits, count);
    }
}

}  // namespace mail
