// PatchList: changes to a message's content in the making, in order of offset.
#pragma once

#include "libqueue/message.h"

#include <limits>
#include <utility>
#include <vector>

namespace cleanup {

class PatchList {
public:
    // Of one list; a message has one for its header and one for what follows.
    static constexpr std::size_t max_patches = 40'000;
    static constexpr std::size_t max_added = 16U << 20;  // bytes of all replacements

    // Left-out stretches that touch become one.  What is over a limit is not taken, and noted.
    void add(std::uint64_t offset, std::uint64_t length, std::string replacement)
    {
        if (length == 0 && replacement.empty())
            return;
        constexpr std::uint64_t max_length = std::numeric_limits<std::uint32_t>::max();
        if (replacement.empty() && !patches_.empty()) {
            queue::Patch& last = patches_.back();
            if (last.replacement.empty() && last.offset + last.length == offset && last.length + length <= max_length) {
                last.length += static_cast<std::uint32_t>(length);
                return;
            }
        }
        added_ += replacement.size();
        if (patches_.size() >= max_patches || added_ > max_added || length > max_length)
            overflow_ = true;
        else
            patches_.push_back({offset, static_cast<std::uint32_t>(length), std::move(replacement)});
    }

    const std::vector<queue::Patch>& patches() const { return patches_; }
    // Is a change missing?  Then the message must not pass as it is.
    bool overflow() const { return overflow_; }

private:
    std::vector<queue::Patch> patches_;
    std::size_t added_ = 0;
    bool overflow_ = false;
};

}  // namespace cleanup
