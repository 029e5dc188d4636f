#include "libmail/casefold.h"

#include "libmail/charset_tables.h"
#include "libmail/encoding.h"
#include "libutil/text.h"

#include <algorithm>
#include <cstring>

namespace mail {

std::uint32_t fold_case(std::uint32_t point)
{
    if (point < 0x80)
        return static_cast<unsigned char>(util::to_lower(char(point)));
    const tables::FoldRange* range =
        std::ranges::lower_bound(tables::fold_ranges, point, {}, &tables::FoldRange::last);
    bool inside = range != std::end(tables::fold_ranges) && point >= range->first &&
                  (point - range->first) % range->step == 0;
    return inside ? std::uint32_t(std::int64_t(point) + range->delta) : point;
}

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

}  // namespace

std::string fold_case(std::string_view utf8)
{
    std::string out(utf8.size(), '\0');
    std::size_t at = fold_ascii(utf8, out.data());
    out.resize(at);
    while (at < utf8.size()) {
        if (static_cast<unsigned char>(utf8[at]) >= 0x80) {
            append_utf8(out, fold_case(next_code_point(utf8, at)));
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

bool contains_folded(std::string_view text, std::string_view folded_key)
{
    if (folded_key.empty())
        return true;
    // No folding brings a text that is shorter than a third of the key to it.
    if (text.size() < folded_key.size() / 3)
        return false;
    std::string folded = fold_case(text);
    return memmem(folded.data(), folded.size(), folded_key.data(), folded_key.size()) != nullptr;
}

}  // namespace mail
