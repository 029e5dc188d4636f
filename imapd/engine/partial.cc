// PARTIAL: a page of a result.
#include "imapd/engine/partial.h"

#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

util::Result<Partial> parse_partial(syntax::Scanner& arguments)
{
    Partial partial;
    auto all = arguments.rest();
    partial.from_end = arguments.skip('-');
    partial.first = std::uint32_t(TRY(arguments.nz_number()));
    TRY(arguments.expect(':'));
    if (arguments.skip('-') != partial.from_end)
        return util::invalid("A partial range has one direction");
    partial.last = std::uint32_t(TRY(arguments.nz_number()));
    partial.text = all.substr(0, all.size() - arguments.rest().size());
    if (partial.first > partial.last)
        std::swap(partial.first, partial.last);
    return partial;
}

IndexRange Partial::of(std::size_t count) const
{
    std::size_t from = std::min<std::size_t>(first - 1, count);
    std::size_t to = std::min<std::size_t>(last, count);
    if (from_end)
        return {count - to, count - from};
    return {from, to};
}

std::vector<IndexRange> part_of(const std::vector<IndexRange>& ranges, const Partial& partial)
{
    std::size_t count = 0;
    for (const auto& range : ranges)
        count += range.end - range.begin;
    auto page = partial.of(count);
    std::vector<IndexRange> out;
    std::size_t before = 0;  // messages of the ranges before this one
    for (const auto& range : ranges) {
        auto size = range.end - range.begin;
        auto from = std::clamp(page.begin, before, before + size) - before;
        auto to = std::clamp(page.end, before, before + size) - before;
        if (from < to)
            out.push_back({range.begin + from, range.begin + to});
        before += size;
    }
    return out;
}

}  // namespace imapd::engine
