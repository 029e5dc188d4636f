#include "libmail/charset.h"

#include "libmail/charset_tables.h"
#include "libmail/charset_wide.h"
#include "libmail/encoding.h"
#include "libutil/text.h"

#include <algorithm>

namespace mail {

namespace {

enum class Method : unsigned char {
    Utf8, Ascii, Table, Utf16, Utf16Le, Utf16Be, Utf7,
    Gb18030, Big5, Uhc, ShiftJis, EucJp, Iso2022Jp, Iso2022Kr,
};

constexpr std::size_t max_charset_name = 24;

// Without pointers, so that no process has a copy of its own.
struct Charset {
    char key[max_charset_name];  // its name in lower case, without '-', '_' and the like
    Method method;
    tables::UpperHalf table = {};
    char name[16] = {};          // of those that charset_names() tells
};

// Sorted by key.
constexpr Charset charsets[] = {
    {"874", Method::Table, tables::cp874},
    {"932", Method::ShiftJis},
    {"936", Method::Gb18030},
    {"949", Method::Uhc},
    {"950", Method::Big5},
    {"ansix341968", Method::Ascii},
    {"ascii", Method::Ascii},
    {"big5", Method::Big5, {}, "Big5"},
    {"big5hkscs", Method::Big5, {}, "Big5-HKSCS"},
    {"chinesebig5", Method::Big5},
    {"cnbig5", Method::Big5},
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
    {"cp50220", Method::Iso2022Jp},
    {"cp50221", Method::Iso2022Jp},
    {"cp850", Method::Table, tables::cp850},
    {"cp852", Method::Table, tables::cp852},
    {"cp866", Method::Table, tables::cp866},
    {"cp874", Method::Table, tables::cp874},
    {"cp932", Method::ShiftJis},
    {"cp936", Method::Gb18030},
    {"cp949", Method::Uhc},
    {"cp950", Method::Big5},
    {"csbig5", Method::Big5},
    {"cseuckr", Method::Uhc},
    {"cseucpkdfmtjapanese", Method::EucJp},
    {"csgb2312", Method::Gb18030},
    {"csiso2022jp", Method::Iso2022Jp},
    {"csiso2022jp2", Method::Iso2022Jp},
    {"csiso2022kr", Method::Iso2022Kr},
    {"csksc56011987", Method::Uhc},
    {"csshiftjis", Method::ShiftJis},
    {"csunicode11utf7", Method::Utf7},
    {"csutf7", Method::Utf7},
    {"cswindows31j", Method::ShiftJis},
    {"cyrillic", Method::Table, tables::iso8859_5},
    {"euccn", Method::Gb18030},
    {"eucjp", Method::EucJp, {}, "EUC-JP"},
    {"eucjpms", Method::EucJp},
    {"euckr", Method::Uhc, {}, "EUC-KR"},
    {"gb18030", Method::Gb18030, {}, "GB18030"},
    {"gb2312", Method::Gb18030, {}, "GB2312"},
    {"gb231280", Method::Gb18030},
    {"gbk", Method::Gb18030, {}, "GBK"},
    {"greek", Method::Table, tables::iso8859_7},
    {"hebrew", Method::Table, tables::iso8859_8},
    {"ibm437", Method::Table, tables::cp437, "IBM437"},
    {"ibm850", Method::Table, tables::cp850, "IBM850"},
    {"ibm852", Method::Table, tables::cp852, "IBM852"},
    {"ibm866", Method::Table, tables::cp866, "IBM866"},
    {"iso2022jp", Method::Iso2022Jp, {}, "ISO-2022-JP"},
    {"iso2022jp1", Method::Iso2022Jp, {}, "ISO-2022-JP-1"},
    {"iso2022jp2", Method::Iso2022Jp, {}, "ISO-2022-JP-2"},
    {"iso2022jpms", Method::Iso2022Jp},
    {"iso2022kr", Method::Iso2022Kr, {}, "ISO-2022-KR"},
    // C1 controls never stand in mail: who says Latin-1 writes windows-1252.
    {"iso88591", Method::Table, tables::cp1252, "ISO-8859-1"},
    {"iso885910", Method::Table, tables::iso8859_10, "ISO-8859-10"},
    {"iso885911", Method::Table, tables::iso8859_11, "ISO-8859-11"},
    {"iso885913", Method::Table, tables::iso8859_13, "ISO-8859-13"},
    {"iso885914", Method::Table, tables::iso8859_14, "ISO-8859-14"},
    {"iso885915", Method::Table, tables::iso8859_15, "ISO-8859-15"},
    {"iso885916", Method::Table, tables::iso8859_16, "ISO-8859-16"},
    {"iso88592", Method::Table, tables::iso8859_2, "ISO-8859-2"},
    {"iso88593", Method::Table, tables::iso8859_3, "ISO-8859-3"},
    {"iso88594", Method::Table, tables::iso8859_4, "ISO-8859-4"},
    {"iso88595", Method::Table, tables::iso8859_5, "ISO-8859-5"},
    {"iso88596", Method::Table, tables::iso8859_6, "ISO-8859-6"},
    {"iso88597", Method::Table, tables::iso8859_7, "ISO-8859-7"},
    {"iso88598", Method::Table, tables::iso8859_8, "ISO-8859-8"},
    {"iso88598e", Method::Table, tables::iso8859_8, "ISO-8859-8-E"},
    {"iso88598i", Method::Table, tables::iso8859_8, "ISO-8859-8-I"},
    {"iso88599", Method::Table, tables::cp1254, "ISO-8859-9"},
    {"isoir149", Method::Uhc},
    {"koi8r", Method::Table, tables::koi8_r, "KOI8-R"},
    {"koi8u", Method::Table, tables::koi8_u, "KOI8-U"},
    {"korean", Method::Uhc},
    {"ksc5601", Method::Uhc},
    {"ksc56011987", Method::Uhc, {}, "KS_C_5601-1987"},
    {"ksc56011989", Method::Uhc},
    {"latin1", Method::Table, tables::cp1252},
    {"latin2", Method::Table, tables::iso8859_2},
    {"latin5", Method::Table, tables::cp1254},
    {"latin9", Method::Table, tables::iso8859_15},
    {"macintosh", Method::Table, tables::mac_roman, "macintosh"},
    {"macroman", Method::Table, tables::mac_roman},
    {"ms932", Method::ShiftJis},
    {"ms936", Method::Gb18030},
    {"ms949", Method::Uhc},
    {"ms950", Method::Big5},
    {"mskanji", Method::ShiftJis},
    {"shiftjis", Method::ShiftJis, {}, "Shift_JIS"},
    {"sjis", Method::ShiftJis},
    {"tis620", Method::Table, tables::tis_620, "TIS-620"},
    {"uhc", Method::Uhc},
    {"unicode11utf7", Method::Utf7},
    {"usascii", Method::Ascii, {}, "US-ASCII"},
    {"utf16", Method::Utf16, {}, "UTF-16"},
    {"utf16be", Method::Utf16Be, {}, "UTF-16BE"},
    {"utf16le", Method::Utf16Le, {}, "UTF-16LE"},
    {"utf7", Method::Utf7, {}, "UTF-7"},
    {"utf8", Method::Utf8, {}, "UTF-8"},
    {"windows1250", Method::Table, tables::cp1250, "windows-1250"},
    {"windows1251", Method::Table, tables::cp1251, "windows-1251"},
    {"windows1252", Method::Table, tables::cp1252, "windows-1252"},
    {"windows1253", Method::Table, tables::cp1253, "windows-1253"},
    {"windows1254", Method::Table, tables::cp1254, "windows-1254"},
    {"windows1255", Method::Table, tables::cp1255, "windows-1255"},
    {"windows1256", Method::Table, tables::cp1256, "windows-1256"},
    {"windows1257", Method::Table, tables::cp1257, "windows-1257"},
    {"windows1258", Method::Table, tables::cp1258, "windows-1258"},
    {"windows31j", Method::ShiftJis, {}, "Windows-31J"},
    {"windows874", Method::Table, tables::cp874, "windows-874"},
    {"windows932", Method::ShiftJis},
    {"windows936", Method::Gb18030},
    {"windows949", Method::Uhc, {}, "windows-949"},
    {"windows950", Method::Big5},
    {"xeucjp", Method::EucJp},
    {"xgbk", Method::Gb18030},
    {"xmacroman", Method::Table, tables::mac_roman},
    {"xsjis", Method::ShiftJis},
    {"xxbig5", Method::Big5},
};

constexpr std::string_view key_of(const Charset& charset)
{
    return charset.key;
}
static_assert(std::ranges::is_sorted(charsets, {}, key_of));

const Charset* find_charset(std::string_view name)
{
    char key[max_charset_name];
    std::size_t length = 0;
    for (char c : name) {
        if (!util::is_alnum(c))
            continue;
        if (length == sizeof key)
            return nullptr;
        key[length++] = util::to_lower(c);
    }
    std::string_view wanted(key, length);
    const Charset* found = std::ranges::lower_bound(charsets, wanted, {}, key_of);
    return found != std::end(charsets) && key_of(*found) == wanted ? found : nullptr;
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

std::string from_table(std::string_view bytes, tables::UpperHalf table)
{
    std::string out;
    out.reserve(bytes.size() + bytes.size() / 4);
    for (char c : bytes) {
        auto byte = static_cast<unsigned char>(c);
        if (byte < 128)
            out += c;
        else
            append_utf8(out, tables::upper_halves[table][byte - 128]);
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

std::vector<std::string_view> charset_names()
{
    std::vector<std::string_view> names;
    for (const Charset& charset : charsets)
        if (charset.name[0] != '\0')
            names.emplace_back(charset.name);
    return names;
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
    case Method::Gb18030:
        return from_gb18030(bytes);
    case Method::Big5:
        return from_big5(bytes);
    case Method::Uhc:
        return from_uhc(bytes);
    case Method::ShiftJis:
        return from_shift_jis(bytes);
    case Method::EucJp:
        return from_euc_jp(bytes);
    case Method::Iso2022Jp:
        return from_iso2022_jp(bytes);
    case Method::Iso2022Kr:
        return from_iso2022_kr(bytes);
    }
    return {};
}

}  // namespace mail
