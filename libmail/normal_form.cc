// Normalization form C: take apart, order, put together (UAX #15; Unicode 3.11 D117).
#include "libmail/normal_form.h"

#include "libmail/encoding.h"
#include "libmail/unicode_tables.h"
#include "libutil/text.h"

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

namespace mail {

namespace {

using Points = std::vector<std::uint32_t>;

unsigned order_of(std::uint32_t point)
{
    auto range = std::ranges::lower_bound(tables::class_ranges, point, {}, &tables::ClassRange::last);
    return range != tables::class_ranges.end() && point >= range->first ? range->order : 0;
}

void take_apart(Points& out, std::uint32_t point)
{
    if (tables::split_syllable(point, [&](std::uint32_t letter) { out.push_back(letter); }))
        return;
    auto split = std::ranges::lower_bound(tables::splits, point, {}, &tables::Split::point);
    if (split == tables::splits.end() || split->point != point)
        return out.push_back(point);
    // The first part may have parts in turn, four deep at most; the second never has.
    take_apart(out, split->first);
    if (split->second != 0)
        out.push_back(split->second);
}

void put_in_order(Points& points)
{
    for (auto at = points.begin(); at != points.end();) {
        auto end = at;
        while (end != points.end() && order_of(*end) != 0)
            ++end;
        std::stable_sort(at, end, [](std::uint32_t a, std::uint32_t b) { return order_of(a) < order_of(b); });
        at = end == points.end() ? end : end + 1;
    }
}

// 0: they do not become one.
std::uint32_t join(std::uint32_t first, std::uint32_t second)
{
    using namespace tables;
    if (first - first_lead < leads && second - first_vowel < vowels)
        return first_syllable + ((first - first_lead) * vowels + second - first_vowel) * trails;
    if (first - first_syllable < syllables && (first - first_syllable) % trails == 0 && second > first_trail &&
        second - first_trail < trails)
        return first + (second - first_trail);
    auto key = [](const tables::Join& one) { return std::tuple(one.first, one.second); };
    auto found = std::ranges::lower_bound(tables::joins, std::tuple(first, second), {}, key);
    return found != tables::joins.end() && found->first == first && found->second == second ? found->point : 0;
}

void put_together(Points& points)
{
    constexpr std::size_t none = SIZE_MAX;
    std::size_t starter = none, length = 0;
    unsigned last = 0;   // the order of what stands last behind the starter
    for (std::uint32_t point : points) {
        unsigned order = order_of(point);
        // Blocked: something of the same or a later place, or another starter, stands between.
        bool reaches = starter != none && (length == starter + 1 || (last != 0 && last < order));
        std::uint32_t one = reaches ? join(points[starter], point) : 0;
        if (one != 0) {
            points[starter] = one;
            continue;
        }
        if (order == 0)
            starter = length;
        last = order;
        points[length++] = point;
    }
    points.resize(length);
}

bool is_space(std::uint32_t point)
{
    return point == 0xa0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200a) || point == 0x202f || point == 0x205f ||
           point == 0x3000;
}

std::string rewritten(std::string_view utf8, bool plain_spaces)
{
    if (util::is_ascii(utf8) || !util::is_utf8(utf8))
        return std::string(utf8);
    Points points;
    for (std::size_t at = 0; at < utf8.size();) {
        std::uint32_t point = next_code_point(utf8, at);
        take_apart(points, plain_spaces && is_space(point) ? ' ' : point);
    }
    put_in_order(points);
    put_together(points);
    std::string out;
    for (std::uint32_t point : points)
        append_utf8(out, point);
    return out;
}

}  // namespace

std::string normal_form(std::string_view utf8) { return rewritten(utf8, false); }

std::string prepare_password(std::string_view password) { return rewritten(password, true); }

std::string prepare_group(std::string_view name) { return util::lower(normal_form(name)); }

}  // namespace mail
