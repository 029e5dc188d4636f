#include "libmail/media_type.h"

#include "libmail/header.h"
#include "libutil/text.h"

#include <algorithm>
#include <cstdint>

namespace mail {

namespace {

// RFC 2045 §5.1 token, and the bytes above 127 that some write.
bool is_token_char(char c)
{
    if (util::is_alnum(c))
        return true;
    return static_cast<unsigned char>(c) > ' ' && c != 127 &&
           std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
}

std::string_view read_token(std::string_view text, std::size_t& at)
{
    skip_cfws(text, at);
    std::size_t start = at;
    while (at < text.size() && is_token_char(text[at]))
        ++at;
    return text.substr(start, at - start);
}

int hex_value(char c)
{
    if (util::is_digit(c))
        return c - '0';
    c = util::to_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text)
{
    if (text.find('%') == std::string_view::npos)
        return std::string(text);
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text[i + 2]) : -1;
        if (low >= 0) {
            out += char(high * 16 + low);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

// One "name*3*=value" as it stands in the field.
struct Piece {
    std::string_view name;     // without stars
    std::string value;
    std::uint32_t section = 0;
    std::uint32_t group = 0;   // which parameter it belongs to, by first appearance
    bool continued = false;
    bool encoded = false;
};

// RFC 2231 §3 and §4: name, "*N" and "*" apart.
void split_name(std::string_view name, Piece& piece)
{
    piece.name = name;
    if (name.ends_with('*') && name.size() > 1) {
        piece.encoded = true;
        name.remove_suffix(1);
        piece.name = name;
    }
    std::size_t star = name.rfind('*');
    if (star == std::string_view::npos || star == 0)
        return;
    auto number = util::parse_unsigned(name.substr(star + 1), max_mime_parameter_pieces);
    if (!number.ok())
        return;
    piece.continued = true;
    piece.section = std::uint32_t(*number);
    piece.name = name.substr(0, star);
}

// An unquoted value: a token in the standard; here all up to a semicolon, a line end or a comment,
// so that "name=my file.txt" keeps its second word.
std::string_view read_bare_value(std::string_view text, std::size_t& at)
{
    std::size_t start = at;
    while (at < text.size() && text[at] != ';' && text[at] != '\r' && text[at] != '\n' &&
           !(text[at] == '(' && at > start && util::is_blank(text[at - 1])))
        ++at;
    return util::trim_right(text.substr(start, at - start));
}

std::vector<Piece> read_pieces(std::string_view text)
{
    std::vector<Piece> pieces;
    std::size_t at = 0;
    while (at < text.size() && pieces.size() < max_mime_parameter_pieces) {
        std::string_view name = read_token(text, at);
        skip_cfws(text, at);
        if (name.empty() || at >= text.size() || text[at] != '=') {
            if (name.empty() && at < text.size())
                ++at;
            continue;
        }
        ++at;
        skip_cfws(text, at);
        Piece piece;
        split_name(name, piece);
        if (at < text.size() && text[at] == '"')
            read_quoted_string(text, at, piece.value);
        else
            piece.value = std::string(read_bare_value(text, at));
        pieces.push_back(std::move(piece));
    }
    return pieces;
}

bool less_nocase(std::string_view a, std::string_view b)
{
    return std::ranges::lexicographical_compare(
        a, b, [](char x, char y) { return util::to_lower(x) < util::to_lower(y); });
}

// Numbers the pieces by the parameter they belong to, and sorts them by that and their section.
void sort_pieces(std::vector<Piece>& pieces)
{
    std::vector<std::uint32_t> order(pieces.size());
    for (std::uint32_t i = 0; i < order.size(); ++i)
        order[i] = i;
    std::ranges::stable_sort(order, [&](std::uint32_t a, std::uint32_t b) {
        return less_nocase(pieces[a].name, pieces[b].name);
    });
    for (std::size_t i = 0; i < order.size(); ++i) {
        bool same = i > 0 && util::equal_nocase(pieces[order[i]].name, pieces[order[i - 1]].name);
        pieces[order[i]].group = same ? pieces[order[i - 1]].group : order[i];
    }
    std::ranges::stable_sort(pieces, [](const Piece& a, const Piece& b) {
        if (a.group != b.group)
            return a.group < b.group;
        // A name that comes plain and continued: the plain one first, it stands for itself.
        if (a.continued != b.continued)
            return b.continued;
        return a.section < b.section;
    });
}

// charset'language'rest of RFC 2231 §4.
std::string_view take_charset(std::string_view value, MimeParameter& parameter)
{
    std::size_t first = value.find('\'');
    std::size_t second = first == std::string_view::npos ? first : value.find('\'', first + 1);
    if (second == std::string_view::npos)
        return value;
    parameter.charset = value.substr(0, first);
    parameter.language = value.substr(first + 1, second - first - 1);
    return value.substr(second + 1);
}

MimeParameter start_parameter(Piece& piece)
{
    MimeParameter parameter;
    parameter.name = piece.name;
    if (piece.encoded) {
        parameter.encoded = true;
        parameter.value = percent_decoded(take_charset(piece.value, parameter));
    } else {
        parameter.value = std::move(piece.value);
    }
    return parameter;
}

}  // namespace

std::string MimeParameter::extended_value() const
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out = util::concat(charset, '\'', language, '\'');
    for (char c : value) {
        // RFC 2231 §7 attribute-char.
        if (is_token_char(c) && static_cast<unsigned char>(c) < 128 && c != '*' && c != '\'' && c != '%') {
            out += c;
        } else {
            auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
    return out;
}

std::vector<MimeParameter> parse_mime_parameters(std::string_view text)
{
    std::vector<Piece> pieces = read_pieces(text);
    bool any_star = std::ranges::any_of(
        pieces, [](const Piece& piece) { return piece.continued || piece.encoded; });
    if (any_star)
        sort_pieces(pieces);
    std::vector<MimeParameter> parameters;
    std::uint32_t next_section = 0;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        Piece& piece = pieces[i];
        bool joins = piece.continued && i > 0 && pieces[i - 1].continued &&
                     pieces[i - 1].group == piece.group && !parameters.empty();
        if (joins) {
            // A gap ends the value: what follows it cannot be placed.
            if (piece.section == next_section && next_section != 0) {
                parameters.back().value +=
                    piece.encoded ? percent_decoded(piece.value) : piece.value;
                ++next_section;
            }
            continue;
        }
        if (parameters.size() >= max_mime_parameters)
            break;
        next_section = piece.section == 0 ? 1 : 0;
        parameters.push_back(start_parameter(piece));
    }
    return parameters;
}

bool MediaType::is(std::string_view type_name, std::string_view subtype_name) const
{
    return util::equal_nocase(type, type_name) && util::equal_nocase(subtype, subtype_name);
}

bool MediaType::is_type(std::string_view type_name) const
{
    return util::equal_nocase(type, type_name);
}

const MimeParameter* MediaType::find(std::string_view name) const
{
    for (const MimeParameter& parameter : parameters)
        if (util::equal_nocase(parameter.name, name))
            return &parameter;
    return nullptr;
}

std::optional<MediaType> parse_media_type(std::string_view value)
{
    std::size_t at = 0;
    std::string_view type = read_token(value, at);
    skip_cfws(value, at);
    if (type.empty() || at >= value.size() || value[at] != '/')
        return std::nullopt;
    ++at;
    std::string_view subtype = read_token(value, at);
    if (subtype.empty())
        return std::nullopt;
    MediaType media;
    media.type = type;
    media.subtype = subtype;
    media.parameters = parse_mime_parameters(value.substr(at));
    return media;
}

std::optional<Disposition> parse_disposition(std::string_view value)
{
    std::size_t at = 0;
    std::string_view type = read_token(value, at);
    if (type.empty())
        return std::nullopt;
    return Disposition{std::string(type), parse_mime_parameters(value.substr(at))};
}

std::string_view first_token(std::string_view value)
{
    std::size_t at = 0;
    return read_token(value, at);
}

}  // namespace mail
