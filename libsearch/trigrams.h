// Trigrams: what the index knows of a text.  Three bytes in a row, and the zone in which they stand.
//
// A text that holds the needle holds all trigrams of the needle.  Texts are cut into chunks that overlap, so
// that a long one is not said to hold nearly everything; only the needle's beginning is asked for, which is
// whole in one chunk at least.
#pragma once

#include "libsearch/text.h"

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace search {

using Key = std::uint32_t;
constexpr unsigned key_bits = 25;

constexpr std::size_t chunk_bytes = 16U << 10;
constexpr std::size_t asked_bytes = 32;   // of a needle; chunks overlap by one byte less

inline Key key_of(Zone zone, const char* bytes)
{
    auto at = [bytes](int i) { return Key(static_cast<unsigned char>(bytes[i])); };
    return Key(zone == Zone::Body) << 24 | at(0) << 16 | at(1) << 8 | at(2);
}

// The keys of what is asked for: ascending, without doubles; none if it is too short.
std::vector<Key> needle_keys(Zone zone, std::string_view needle);

// The keys of one chunk: a table of open addressing that stays in the processor's cache.
class KeySet {
public:
    void add(Zone zone, std::string_view text);
    std::size_t size() const { return taken_ ? 0 : keys_.size(); }
    // The keys, in the order in which they were met; the set is empty afterwards and they hold until the next add().
    const std::vector<Key>& take();

private:
    struct Slot {
        Key key = 0;
        std::uint32_t round = 0;   // in use if it is the present one
    };

    void grow();
    bool insert(Key key);

    std::vector<Slot> slots_ = std::vector<Slot>(least_slots);
    std::uint32_t round_ = 1;
    std::vector<Key> keys_;
    bool taken_ = false;

    static constexpr std::size_t least_slots = 2 * chunk_bytes;   // a chunk's keys take half of it, or a little more
};

}  // namespace search
