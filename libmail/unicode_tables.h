// Tables of Unicode, which libmail/unicode_tables.py asks of Python at build time: for the collation
// i;unicode-casemap (RFC 5051) and for normalization form C.
#pragma once

#include <cstdint>
#include <span>

namespace mail::tables {

// What a point becomes in title case and taken apart: `length` points from `place` on in the pool.  By the point.
struct CaseMap {
    std::uint32_t point;
    std::uint16_t place, length;
};
extern const std::span<const CaseMap> case_maps;
extern const std::span<const std::uint32_t> case_pool;

// A point, and what it consists of; of one alone the second is 0.  By the point.
struct Split {
    std::uint32_t point, first, second;
};
extern const std::span<const Split> splits;

// Two points and the one that they become.  By the two.
struct Join {
    std::uint32_t first, second, point;
};
extern const std::span<const Join> joins;

// Points and the place that they take behind their base; others have none (0).
struct ClassRange {
    std::uint32_t first, last;
    std::uint8_t order;
};
extern const std::span<const ClassRange> class_ranges;

// Hangul syllables are in no table: they are computed (Unicode 3.12).
inline constexpr std::uint32_t first_syllable = 0xac00, first_lead = 0x1100, first_vowel = 0x1161, first_trail = 0x11a7;
inline constexpr std::uint32_t leads = 19, vowels = 21, trails = 28, syllables = leads * vowels * trails;

// Gives the two or three letters of a syllable to `out`; false: it is none.
template <typename Out>
bool split_syllable(std::uint32_t point, const Out& out)
{
    if (point - first_syllable >= syllables)
        return false;
    std::uint32_t index = point - first_syllable;
    out(first_lead + index / (vowels * trails));
    out(first_vowel + index % (vowels * trails) / trails);
    if (index % trails != 0)
        out(first_trail + index % trails);
    return true;
}

}  // namespace mail::tables
