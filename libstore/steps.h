// Steps: how much of a slice of housekeeping is left (store.h says what a step is).
#pragma once

#include <algorithm>
#include <cstdint>

namespace store {

struct Steps {
    std::uint64_t left = 0;
    std::uint64_t made = 0;

    void spend(std::uint64_t count)
    {
        made += count;
        left -= std::min(count, left);
    }
};

}  // namespace store
