// Sequence sets.
#include "imapd/syntax/sequence_set.h"

#include "libutil/text.h"

#include <algorithm>
#include <charconv>

namespace imapd::syntax {

namespace {

// seq-number: a number from 1 to 2^32-1, or `*` as 0.
bool take_number(std::string_view& text, std::uint32_t& number)
{
    if (text.empty())
        return false;
    if (text.front() == '*') {
        text.remove_prefix(1);
        number = 0;
        return true;
    }
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number == 0)
        return false;
    text.remove_prefix(std::size_t(end - text.data()));
    return true;
}

}  // namespace

util::Result<SequenceSet> SequenceSet::take(std::string_view& text)
{
    SequenceSet set;
    if (!text.empty() && text.front() == '$') {
        text.remove_prefix(1);
        set.saved_ = true;
        return set;
    }
    for (;;) {
        Range range;
        if (!take_number(text, range.first))
            return util::invalid("Invalid sequence set");
        range.last = range.first;
        if (!text.empty() && text.front() == ':') {
            text.remove_prefix(1);
            if (!take_number(text, range.last))
                return util::invalid("Invalid sequence set");
        }
        if (set.ranges_.size() >= max_set_ranges)
            return util::invalid("Too many ranges in the sequence set");
        set.ranges_.push_back(range);
        if (text.empty() || text.front() != ',')
            return set;
        text.remove_prefix(1);
    }
}

SequenceSet SequenceSet::of(std::uint32_t first, std::uint32_t last)
{
    SequenceSet set;
    set.ranges_.push_back({first, last});
    return set;
}

std::vector<SequenceSet::Range> SequenceSet::resolve(std::uint32_t largest) const
{
    std::vector<Range> out;
    out.reserve(ranges_.size());
    for (auto range : ranges_) {
        if (largest == 0 && (range.first == 0 || range.last == 0))
            continue;
        if (range.first == 0)
            range.first = largest;
        if (range.last == 0)
            range.last = largest;
        if (range.first > range.last)
            std::swap(range.first, range.last);
        out.push_back(range);
    }
    std::sort(out.begin(), out.end(),
              [](const Range& a, const Range& b) { return a.first < b.first; });
    std::size_t kept = 0;
    for (const auto& range : out) {
        if (kept > 0 && std::uint64_t(range.first) <= std::uint64_t(out[kept - 1].last) + 1)
            out[kept - 1].last = std::max(out[kept - 1].last, range.last);
        else
            out[kept++] = range;
    }
    out.resize(kept);
    return out;
}

bool holds(const std::vector<SequenceSet::Range>& ranges, std::uint32_t number)
{
    auto after = std::upper_bound(ranges.begin(), ranges.end(), number,
                                  [](std::uint32_t n, const auto& range) { return n < range.first; });
    return after != ranges.begin() && number <= std::prev(after)->last;
}

std::uint32_t SequenceSet::largest_named() const
{
    std::uint32_t largest = 0;
    for (const auto& range : ranges_)
        if (range.first != 0 && range.last != 0)
            largest = std::max({largest, range.first, range.last});
    return largest;
}

bool SequenceSet::has_star() const
{
    return std::any_of(ranges_.begin(), ranges_.end(),
                       [](const Range& range) { return range.first == 0 || range.last == 0; });
}

void SetWriter::add(std::uint32_t first, std::uint32_t last)
{
    if (first_ != 0 && first == last_ + 1) {
        last_ = last;
        return;
    }
    write();
    first_ = first;
    last_ = last;
}

void SetWriter::write()
{
    if (first_ == 0)
        return;
    if (any_)
        out_ += ',';
    any_ = true;
    append_number(out_, first_);
    if (last_ != first_) {
        out_ += ':';
        append_number(out_, last_);
    }
}

void SetWriter::finish()
{
    write();
    first_ = last_ = 0;
}

void append_number(std::string& out, std::uint64_t number)
{
    char digits[20];
    auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, std::size_t(end - digits));
}

}  // namespace imapd::syntax
