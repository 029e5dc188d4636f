// Tables of East Asian charsets, which libmail/wide_tables.py asks of iconv(3) at build time: 200 KB, of
// which only the pages that are looked at come into memory, once for all processes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mail::tables {

// What two bytes mean: points[(lead - first_lead) * (last_trail - first_trail + 1) + trail - first_trail].
// 0: nothing.  0xD800 and more (no character is there) count extras: code points beyond 0xFFFF, and pairs
// of two, the second 0 if there is one.
struct PairTable {
    unsigned char first_lead;
    unsigned char last_lead;
    unsigned char first_trail;
    unsigned char last_trail;
    const std::uint16_t* points;
    const std::uint32_t (*extras)[2];
};

extern const PairTable gb18030;  // and so GBK and GB 2312
extern const PairTable big5;     // with the characters of Hong Kong
extern const PairTable uhc;      // Korean: Windows code page 949, and so KS X 1001 with the high bits set
extern const PairTable jis0208;  // in 7 bits, with the additions of Windows code page 932 in all of 120 rows
extern const PairTable jis0212;  // in 7 bits

// The first 39,420 numbers of GB 18030's four bytes, in runs: number and code point of the first in each.
extern const std::uint32_t gb18030_ranges[][2];
extern const std::size_t gb18030_range_count;

}  // namespace mail::tables
