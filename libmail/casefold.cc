#include "libmail/casefold.h"

#include "libmail/encoding.h"
#include "libmail/unicode_tables.h"
#include "libutil/text.h"

#include <algorithm>
#include <cstring>

namespace mail {

namespace {

// Lowers eight bytes of ASCII at a time into `out`; answers how far it came.
std::size_t fold_ascii(std::string_view text, char* out)
{
    constexpr std::uint64_t ones = 0x0101010101010101U;
    std::size_t at = 0;
    for (std::uint64_t word; at + sizeof word <= text.size(); at += sizeof word) {
        std::memcpy(&word, text.data() + at, sizeof word);
        if (word & (0x80 * ones))
            break;
        // The high bit of a byte is set in one sum from 'A' on, in the other behind 'Z'.
        std::uint64_t upper = ((word + (0x80 - 'A') * ones) ^ (word + (0x7F - 'Z') * ones)) & (0x80 * ones);
        word |= upper >> 2;
        std::memcpy(out + at, &word, sizeof word);
    }
    return at;
}

// In its title case, taken apart (RFC 5051 §2), ASCII in small letters.
void append_mapped(std::string& out, std::uint32_t point)
{
    if (tables::split_syllable(point, [&](std::uint32_t letter) { append_utf8(out, letter); }))
        return;
    auto map = std::ranges::lower_bound(tables::case_maps, point, {}, &tables::CaseMap::point);
    if (map == tables::case_maps.end() || map->point != point)
        return append_utf8(out, point);
    for (std::size_t i = 0; i < map->length; ++i) {
        std::uint32_t part = tables::case_pool[map->place + i];
        append_utf8(out, part < 0x80 ? std::uint32_t(static_cast<unsigned char>(util::to_lower(char(part)))) : part);
    }
}

}  // namespace

std::string fold_case(std::string_view utf8)
{
    std::string out(utf8.size(), '\0');
    std::size_t at = fold_ascii(utf8, out.data());
    out.resize(at);
    while (at < utf8.size()) {
        if (static_cast<unsigned char>(utf8[at]) >= 0x80) {
            append_mapped(out, next_code_point(utf8, at));
            continue;
        }
        char run[256];
        std::size_t length = fold_ascii(utf8.substr(at, sizeof run), run);
        out.append(run, length);
        at += length;
        if (length == 0)
            out += util::to_lower(utf8[at++]);
    }
    return out;
}

std::string collation_key(std::string_view utf8)
{
    return util::upper(fold_case(utf8));
}

bool contains_folded(std::string_view text, std::string_view folded_key)
{
    if (folded_key.empty())
        return true;
    // The longest mapping makes 33 bytes of 3 (U+FDFA).
    if (text.size() < folded_key.size() / 11)
        return false;
    std::string folded = fold_case(text);
    return memmem(folded.data(), folded.size(), folded_key.data(), folded_key.size()) != nullptr;
}

}  // namespace mail
