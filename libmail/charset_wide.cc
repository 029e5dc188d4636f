// East Asian charsets in UTF-8.
#include "libmail/charset_wide.h"

#include "libmail/charset_tables.h"
#include "libmail/encoding.h"
#include "libmail/wide_tables.h"

#include <algorithm>

namespace mail {

namespace {

using tables::PairTable;

constexpr std::uint32_t malformed = 0xFFFD;
constexpr std::uint32_t first_katakana = 0xFF61;  // of half width: 0xA1 to 0xDF, or 0x21 to 0x5F in 7 bits
constexpr char escape = '\x1B';

std::uint32_t byte_at(std::string_view bytes, std::size_t at)
{
    return static_cast<unsigned char>(bytes[at]);
}

bool is_within(std::uint32_t value, std::uint32_t first, std::uint32_t last)
{
    return value >= first && value <= last;
}

// False if the two mean nothing.
bool append_pair(std::string& out, const PairTable& table, std::uint32_t lead, std::uint32_t trail)
{
    if (!is_within(lead, table.first_lead, table.last_lead) || !is_within(trail, table.first_trail, table.last_trail))
        return false;
    std::size_t width = table.last_trail - table.first_trail + 1U;
    std::uint16_t point = table.points[(lead - table.first_lead) * width + trail - table.first_trail];
    if (is_within(point, 0xD800, 0xDFFF)) {
        const auto& extra = table.extras[point - 0xD800];
        append_utf8(out, extra[0]);
        if (extra[1] != 0)
            append_utf8(out, extra[1]);
    } else if (point != 0) {
        append_utf8(out, point);
    }
    return point != 0;
}

// Each returns how many bytes at the front of `rest`, which begins beyond ASCII, it has read.

std::size_t take_malformed(std::string& out, std::size_t size = 1)
{
    append_utf8(out, malformed);
    return size;
}

std::size_t take_pair(std::string& out, std::string_view rest, const PairTable& table)
{
    if (rest.size() < 2)
        return take_malformed(out);
    std::uint32_t trail = byte_at(rest, 1);
    if (append_pair(out, table, byte_at(rest, 0), trail))
        return 2;
    bool is_lead = is_within(byte_at(rest, 0), table.first_lead, table.last_lead);
    return take_malformed(out, is_lead && trail > 0x7F ? 2 : 1);
}

std::size_t take_gb18030(std::string& out, std::string_view rest)
{
    if (rest[0] == '\x80') {
        append_utf8(out, 0x20AC);  // as code page 936 has it
        return 1;
    }
    if (rest.size() < 2 || !is_within(byte_at(rest, 1), '0', '9'))
        return take_pair(out, rest, tables::gb18030);
    if (rest.size() < 4 || rest[0] == '\xFF' || !is_within(byte_at(rest, 2), 0x81, 0xFE) ||
        !is_within(byte_at(rest, 3), '0', '9'))
        return take_malformed(out);
    std::uint32_t number = (((byte_at(rest, 0) - 0x81) * 10 + byte_at(rest, 1) - '0') * 126 + byte_at(rest, 2) - 0x81) * 10 +
                           byte_at(rest, 3) - '0';
    constexpr std::uint32_t end_of_ranges = 39'420, first_beyond = 189'000;  // U+10000
    std::uint32_t point = 0;
    if (number >= first_beyond) {
        point = number - first_beyond + 0x10000;
    } else if (number < end_of_ranges) {
        const auto* end = tables::gb18030_ranges + tables::gb18030_range_count;
        const auto* after = std::upper_bound(tables::gb18030_ranges, end, number,
                                             [](std::uint32_t n, const std::uint32_t(&range)[2]) { return n < range[0]; });
        point = after[-1][1] + number - after[-1][0];
    }
    if (point == 0 || point > 0x10FFFF)
        return take_malformed(out);
    append_utf8(out, point);
    return 4;
}

std::size_t take_shift_jis(std::string& out, std::string_view rest)
{
    std::uint32_t lead = byte_at(rest, 0);
    if (is_within(lead, 0xA1, 0xDF)) {
        append_utf8(out, first_katakana + lead - 0xA1);
        return 1;
    }
    if (rest.size() < 2 || !(is_within(lead, 0x81, 0x9F) || is_within(lead, 0xE0, 0xFC)))
        return take_malformed(out);
    // One lead byte stands for two rows of JIS X 0208.
    std::uint32_t row = (lead - (lead < 0xA0 ? 0x81 : 0xC1)) * 2;
    std::uint32_t trail = byte_at(rest, 1);
    if (!is_within(trail, 0x40, 0xFC) || trail == 0x7F)
        return take_malformed(out);
    std::uint32_t cell = trail - (trail < 0x7F ? 0x40 : 0x41);
    if (append_pair(out, tables::jis0208, 0x21 + row + cell / 94, 0x21 + cell % 94))
        return 2;
    return take_malformed(out, trail > 0x7F ? 2 : 1);
}

std::size_t take_euc_jp(std::string& out, std::string_view rest)
{
    bool third = rest[0] == '\x8F';  // JIS X 0212
    std::string_view pair = rest.substr(third ? 1 : 0, 2);
    if (pair.size() < 2 || !is_within(byte_at(pair, 1), 0xA1, 0xFE))
        return take_malformed(out);
    std::uint32_t lead = byte_at(pair, 0), trail = byte_at(pair, 1);
    if (!third && lead == 0x8E && trail <= 0xDF) {
        append_utf8(out, first_katakana + trail - 0xA1);
        return 2;
    }
    if (!is_within(lead, 0xA1, 0xFE))
        return take_malformed(out);
    if (append_pair(out, third ? tables::jis0212 : tables::jis0208, lead & 0x7F, trail & 0x7F))
        return third ? 3 : 2;
    return take_malformed(out, third ? 3 : 2);
}

template <typename Take>
std::string convert(std::string_view bytes, Take take)
{
    std::string out;
    out.reserve(bytes.size() + bytes.size() / 2);
    for (std::size_t at = 0; at < bytes.size();) {
        if (byte_at(bytes, at) < 0x80)
            out += bytes[at++];
        else
            at += take(out, bytes.substr(at));
    }
    return out;
}

// What an escape sequence designates (RFC 1468, RFC 1554).
struct Set {
    std::string_view sequence;  // behind ESC
    enum Kind : unsigned char { Ascii, Roman, Katakana, Pairs, High } kind;
    const PairTable* pairs = nullptr;
    std::uint32_t bit = 0;        // what the table has on top of seven bits
    tables::UpperHalf high = {};  // for ESC N
};

constexpr Set sets[] = {
    {"(B", Set::Ascii},
    {"(J", Set::Roman},
    {"(I", Set::Katakana},
    {"$B", Set::Pairs, &tables::jis0208},
    {"$@", Set::Pairs, &tables::jis0208},
    {"$(D", Set::Pairs, &tables::jis0212},
    {"$A", Set::Pairs, &tables::gb18030, 0x80},
    {"$(A", Set::Pairs, &tables::gb18030, 0x80},
    {"$(C", Set::Pairs, &tables::uhc, 0x80},
    {".A", Set::High, nullptr, 0, tables::iso8859_1},
    {".F", Set::High, nullptr, 0, tables::iso8859_7},
};

const Set* designated(std::string_view rest)
{
    const Set* found = std::ranges::find_if(sets, [&](const Set& set) { return rest.starts_with(set.sequence); });
    return found == std::end(sets) ? nullptr : found;
}

// Two bytes of seven bits, each from 0x21 to 0x7E; a pair that is cut short is malformed by itself.
std::size_t take_seven_bits(std::string& out, std::string_view rest, const Set& set)
{
    if (rest.size() < 2 || !is_within(byte_at(rest, 1), 0x21, 0x7E))
        return take_malformed(out);
    if (!append_pair(out, *set.pairs, byte_at(rest, 0) | set.bit, byte_at(rest, 1) | set.bit))
        append_utf8(out, malformed);
    return 2;
}

void append_roman(std::string& out, char c)
{
    if (c == '\\')
        append_utf8(out, 0xA5);
    else if (c == '~')
        append_utf8(out, 0x203E);
    else
        out += c;
}

}  // namespace

std::string from_gb18030(std::string_view bytes)
{
    return convert(bytes, take_gb18030);
}

std::string from_big5(std::string_view bytes)
{
    return convert(bytes, [](std::string& out, std::string_view rest) { return take_pair(out, rest, tables::big5); });
}

std::string from_uhc(std::string_view bytes)
{
    return convert(bytes, [](std::string& out, std::string_view rest) { return take_pair(out, rest, tables::uhc); });
}

std::string from_shift_jis(std::string_view bytes)
{
    return convert(bytes, take_shift_jis);
}

std::string from_euc_jp(std::string_view bytes)
{
    return convert(bytes, take_euc_jp);
}

std::string from_iso2022_jp(std::string_view bytes)
{
    std::string out;
    out.reserve(bytes.size());
    const Set* set = sets;
    const Set* high = nullptr;
    for (std::size_t at = 0; at < bytes.size();) {
        std::string_view rest = bytes.substr(at);
        char c = rest.front();
        bool single_shift = rest.starts_with("\x1BN") && rest.size() > 2 && high && is_within(byte_at(rest, 2), 0x20, 0x7F);
        if (c == '\n') {
            // RFC 1468: a line ends in ASCII.  One that does not must not spoil the next.
            set = sets;
            high = nullptr;
        }
        if (single_shift) {
            append_utf8(out, tables::upper_halves[high->high][byte_at(rest, 2)]);
            at += 3;
        } else if (const Set* next = c == escape ? designated(rest.substr(1)) : nullptr) {
            (next->kind == Set::High ? high : set) = next;
            at += 1 + next->sequence.size();
        } else if (c == escape || byte_at(rest, 0) > 0x7F) {
            at += take_malformed(out);
        } else if (!is_within(byte_at(rest, 0), 0x21, 0x7E) || set->kind == Set::Ascii) {
            out += c;
            ++at;
        } else if (set->kind == Set::Pairs) {
            at += take_seven_bits(out, rest, *set);
        } else {
            if (set->kind == Set::Roman)
                append_roman(out, c);
            else
                append_utf8(out, c <= 0x5F ? first_katakana + byte_at(rest, 0) - 0x21 : malformed);
            ++at;
        }
    }
    return out;
}

// RFC 1557: the escape stands once, SO begins Korean and SI ends it.
std::string from_iso2022_kr(std::string_view bytes)
{
    constexpr std::string_view designation = "\x1B$)C";
    constexpr Set korean{"", Set::Pairs, &tables::uhc, 0x80};
    std::string out;
    out.reserve(bytes.size());
    bool shifted = false;
    for (std::size_t at = 0; at < bytes.size();) {
        std::string_view rest = bytes.substr(at);
        char c = rest.front();
        if (rest.starts_with(designation)) {
            at += designation.size();
        } else if (c == '\x0E' || c == '\x0F') {
            shifted = c == '\x0E';
            ++at;
        } else if (c == escape || byte_at(rest, 0) > 0x7F) {
            at += take_malformed(out);
        } else if (shifted && is_within(byte_at(rest, 0), 0x21, 0x7E)) {
            at += take_seven_bits(out, rest, korean);
        } else {
            shifted = shifted && c != '\n';
            out += c;
            ++at;
        }
    }
    return out;
}

}  // namespace mail
