#include "libmail/charset.h"

#include "libmail/charset_tables.h"
#include "libmail/encoding.h"
#include "libutil/text.h"

#include <algorithm>

namespace mail {

namespace {

enum class Method : unsigned char { Utf8, Ascii, Table, Utf16, Utf16Le, Utf16Be, Utf7 };

struct Charset {
    std::string_view name;  // lower case, without '-', '_' and the like
    Method method;
    const std::uint16_t* table;
};

// Sorted by name.
constexpr Charset charsets[] = {
    {"874", Method::Table, tables::cp874},
    {"ansix341968", Method::Ascii, nullptr},
    {"ascii", Method::Ascii, nullptr},
    {"cp1250", Method::Table, tables::cp1250},
    {"cp1251", Method::Table, tables::cp1251},
    {"cp1252", Method::Table, tables::cp1252},
    {"cp1253", Method::Table, tables::cp1253},
    {"cp1254", Method::Table, tables::cp1254},
    {"cp1255", Method::Table, tables::cp1255},
    {"cp1256", Method::Table, tables::cp1256},
    {"cp1257", Method::Table, tables::cp1257},
    {"cp1258", Method::Table, tables::cp1258},
    {"cp437", Method::Table, tables::cp437},
    {"cp850", Method::Table, tables::cp850},
    {"cp852", Method::Table, tables::cp852},
    {"cp866", Method::Table, tables::cp866},
    {"cp874", Method::Table, tables::cp874},
    {"cyrillic", Method::Table, tables::iso8859_5},
    {"greek", Method::Table, tables::iso8859_7},
    {"hebrew", Method::Table, tables::iso8859_8},
    {"ibm437", Method::Table, tables::cp437},
    {"ibm850", Method::Table, tables::cp850},
    {"ibm852", Method::Table, tables::cp852},
    {"ibm866", Method::Table, tables::cp866},
    // C1 controls never stand in mail: who says Latin-1 writes windows-1252.
    {"iso88591", Method::Table, tables::cp1252},
    {"iso885910", Method::Table, tables::iso8859_10},
    {"iso885911", Method::Table, tables::iso8859_11},
    {"iso885913", Method::Table, tables::iso8859_13},
    {"iso885914", Method::Table, tables::iso8859_14},
    {"iso885915", Method::Table, tables::iso8859_15},
    {"iso885916", Method::Table, tables::iso8859_16},
    {"iso88592", Method::Table, tables::iso8859_2},
    {"iso88593", Method::Table, tables::iso8859_3},
    {"iso88594", Method::Table, tables::iso8859_4},
    {"iso88595", Method::Table, tables::iso8859_5},
    {"iso88596", Method::Table, tables::iso8859_6},
    {"iso88597", Method::Table, tables::iso8859_7},
    {"iso88598", Method::Table, tables::iso8859_8},
    {"iso88598e", Method::Table, tables::iso8859_8},
    {"iso88598i", Method::Table, tables::iso8859_8},
    {"iso88599", Method::Table, tables::cp1254},
    {"koi8r", Method::Table, tables::koi8_r},
    {"koi8u", Method::Table, tables::koi8_u},
    {"latin1", Method::Table, tables::cp1252},
    {"latin2", Method::Table, tables::iso8859_2},
    {"latin5", Method::Table, tables::cp1254},
    {"latin9", Method::Table, tables::iso8859_15},
    {"macintosh", Method::Table, tables::mac_roman},
    {"macroman", Method::Table, tables::mac_roman},
    {"tis620", Method::Table, tables::tis_620},
    {"usascii", Method::Ascii, nullptr},
    {"utf16", Method::Utf16, nullptr},
    {"utf16be", Method::Utf16Be, nullptr},
    {"utf16le", Method::Utf16Le, nullptr},
    {"utf7", Method::Utf7, nullptr},
    {"utf8", Method::Utf8, nullptr},
    {"windows1250", Method::Table, tables::cp1250},
    {"windows1251", Method::Table, tables::cp1251},
    {"windows1252", Method::Table, tables::cp1252},
    {"windows1253", Method::Table, tables::cp1253},
    {"windows1254", Method::Table, tables::cp1254},
    {"windows1255", Method::Table, tables::cp1255},
    {"windows1256", Method::Table, tables::cp1256},
    {"windows1257", Method::Table, tables::cp1257},
    {"windows1258", Method::Table, tables::cp1258},
    {"windows874", Method::Table, tables::cp874},
    {"xmacroman", Method::Table, tables::mac_roman},
};

constexpr std::size_t max_charset_name = 24;

const Charset* find_charset(std::string_view name)
{
    char key[max_charset_name];
    std::size_t length = 0;
    for (char c : name) {
        if (!util::is_alnum(c))
            continue;
        if (length == max_charset_name)
            return nullptr;
        key[length++] = util::to_lower(c);
    }
    std::string_view wanted(key, length);
    const Charset* found = std::ranges::lower_bound(charsets, wanted, {}, &Charset::name);
    return found != std::end(charsets) && found->name == wanted ? found : nullptr;
}

std::string repaired_utf8(std::string_view bytes)
{
    if (util::is_utf8(bytes))
        return std::string(bytes);
    std::string out;
    out.reserve(bytes.size() + 16);
    for (std::size_t at = 0; at < bytes.size();)
        append_utf8(out, next_code_point(bytes, at));
    return out;
}

std::string from_table(std::string_view bytes, const std::uint16_t* table)
{
    std::string out;
    out.reserve(bytes.size() + bytes.size() / 4);
    for (char c : bytes) {
        auto byte = static_cast<unsigned char>(c);
        if (byte < 128)
            out += c;
        else
            append_utf8(out, table[byte - 128]);
    }
    return out;
}

std::string from_utf16(std::string_view bytes, bool little)
{
    auto unit = [&](std::size_t at) {
        auto first = std::uint32_t(static_cast<unsigned char>(bytes[at]));
        auto second = std::uint32_t(static_cast<unsigned char>(bytes[at + 1]));
        return little ? first | (second << 8) : (first << 8) | second;
    };
    std::string out;
    out.reserve(bytes.size());
    std::size_t at = 0;
    for (; at + 1 < bytes.size(); at += 2) {
        std::uint32_t point = unit(at);
        bool high = point >= 0xD800 && point < 0xDC00;
        if (high && at + 3 < bytes.size() && unit(at + 2) >= 0xDC00 && unit(at + 2) < 0xE000) {
            point = 0x10000 + ((point - 0xD800) << 10) + (unit(at + 2) - 0xDC00);
            at += 2;
        }
        append_utf8(out, point);
    }
    if (at < bytes.size())
        append_utf8(out, 0xFFFD);
    return out;
}

// The byte order mark decides (RFC 2781 §4.3), without one it is big-endian.
std::string from_marked_utf16(std::string_view bytes)
{
    if (bytes.starts_with("\xFF\xFE"))
        return from_utf16(bytes.substr(2), true);
    if (bytes.starts_with("\xFE\xFF"))
        bytes.remove_prefix(2);
    return from_utf16(bytes, false);
}

// RFC 2152, leniently.
std::string from_utf7(std::string_view bytes)
{
    std::string out;
    for (std::size_t at = 0; at < bytes.size();) {
        if (bytes[at] != '+') {
            append_utf8(out, next_code_point(bytes, at));
            continue;
        }
        std::size_t end = ++at;
        while (end < bytes.size() && (util::is_alnum(bytes[end]) || bytes[end] == '+' || bytes[end] == '/'))
            ++end;
        bool minus = end < bytes.size() && bytes[end] == '-';
        if (end == at) {
            out += '+';
        } else {
            std::string units = decode_base64_lenient(bytes.substr(at, end - at));
            units.resize(units.size() / 2 * 2);
            out += from_utf16(units, false);
        }
        at = end + (minus ? 1 : 0);
    }
    return out;
}

}  // namespace

bool is_known_charset(std::string_view charset)
{
    return find_charset(charset) != nullptr;
}

std::string to_utf8(std::string_view bytes, std::string_view charset)
{
    const Charset* found = find_charset(charset);
    switch (found ? found->method : Method::Ascii) {
    case Method::Utf8:
        return repaired_utf8(bytes);
    case Method::Ascii:
        return util::is_utf8(bytes) ? std::string(bytes) : from_table(bytes, tables::cp1252);
    case Method::Table:
        return util::is_ascii(bytes) ? std::string(bytes) : from_table(bytes, found->table);
    case Method::Utf16:
        return from_marked_utf16(bytes);
    case Method::Utf16Le:
        return from_utf16(bytes, true);
    case Method::Utf16Be:
        return from_utf16(bytes, false);
    case Method::Utf7:
        return from_utf7(bytes);
    }
    return {};
}

}  // namespace mail
