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

std::string fold_case(std::string_view utf8)
{
    std::string out;
    out.reserve(utf8.size());
    for (std::size_t at = 0; at < utf8.size();) {
        if (static_cast<unsigned char>(utf8[at]) < 0x80)
            out += util::to_lower(utf8[at++]);
        else
            append_utf8(out, fold_case(next_code_point(utf8, at)));
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
