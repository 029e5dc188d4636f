// MESSAGELIMIT: the highest of many messages.
#include "imapd/engine/message_limit.h"

#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

std::string message_limit_code(std::size_t limit, std::uint32_t lowest_uid)
{
    return util::concat("[MESSAGELIMIT ", limit, " ", lowest_uid, "]");
}

std::size_t message_count(const std::vector<IndexRange>& ranges)
{
    std::size_t count = 0;
    for (const auto& range : ranges)
        count += range.end - range.begin;
    return count;
}

bool keep_highest(std::vector<IndexRange>& ranges, std::size_t limit)
{
    auto count = message_count(ranges);
    if (count <= limit)
        return false;
    auto excess = count - limit;
    auto first = ranges.begin();
    for (; first != ranges.end() && first->end - first->begin <= excess; ++first)
        excess -= first->end - first->begin;
    ranges.erase(ranges.begin(), first);
    if (!ranges.empty())
        ranges.front().begin += excess;
    return true;
}

bool keep_highest(std::vector<std::uint32_t>& uids, std::size_t limit)
{
    if (uids.size() <= limit)
        return false;
    uids.erase(uids.begin(), uids.end() - std::ptrdiff_t(limit));
    return true;
}

std::vector<IndexRange> common_ranges(const std::vector<IndexRange>& a, const std::vector<IndexRange>& b)
{
    std::vector<IndexRange> out;
    for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
        IndexRange both{std::max(a[i].begin, b[j].begin), std::min(a[i].end, b[j].end)};
        if (both.begin < both.end)
            out.push_back(both);
        ++(a[i].end < b[j].end ? i : j);
    }
    return out;
}

}  // namespace imapd::engine
