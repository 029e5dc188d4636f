// Sequence sets (RFC 9051 §9): ranges of message sequence numbers or UIDs, or `$`, which stands for the
// result of the last search that was saved (RFC 5182).
#pragma once

#include "libutil/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace imapd::syntax {

// The number of ranges one set may have before they are merged.
constexpr std::size_t max_set_ranges = 50'000;

class SequenceSet {
public:
    // `*` is kept as 0 until resolve().
    struct Range {
        std::uint32_t first = 0;
        std::uint32_t last = 0;
    };

    // Takes a set from the front of `text`; Invalid if none stands there.
    static util::Result<SequenceSet> take(std::string_view& text);

    // Ranges with `*` replaced by `largest`, ordered, merged.  With largest == 0 (an empty mailbox)
    // a `*` stands for nothing.
    std::vector<Range> resolve(std::uint32_t largest) const;
    // The largest number that stands alone or in a range without `*`; 0 if there is none.
    std::uint32_t largest_named() const;
    bool has_star() const;
    // One range.
    static SequenceSet of(std::uint32_t first, std::uint32_t last);
    // `$`: there are no ranges then, and whoever resolves the set puts the saved result in its place.
    bool is_saved() const { return saved_; }
    const std::vector<Range>& ranges() const { return ranges_; }

private:
    std::vector<Range> ranges_;
    bool saved_ = false;
};

// Is the number in one of the ranges, as resolve() makes them?
bool holds(const std::vector<SequenceSet::Range>& ranges, std::uint32_t number);

// Appends the numbers as a set: 1:3,5.  For sets in responses (COPYUID, ESEARCH).
class SetWriter {
public:
    explicit SetWriter(std::string& out) : out_(out) {}
    // Ascending runs are joined; any order is written as it comes.
    void add(std::uint32_t number) { add(number, number); }
    void add(std::uint32_t first, std::uint32_t last);
    void finish();

private:
    void write();
    std::string& out_;
    std::uint32_t first_ = 0;
    std::uint32_t last_ = 0;
    bool any_ = false;
};

// Appends a number in decimal; the fast path of all responses.
void append_number(std::string& out, std::uint64_t number);

}  // namespace imapd::syntax
