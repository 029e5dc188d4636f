#include "libsearch/trigrams.h"

#include <algorithm>

namespace search {

std::vector<Key> needle_keys(Zone zone, std::string_view needle)
{
    needle = needle.substr(0, asked_bytes);
    std::vector<Key> keys;
    for (std::size_t i = 0; i + 3 <= needle.size(); ++i)
        keys.push_back(key_of(zone, needle.data() + i));
    std::ranges::sort(keys);
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
}

// False if it is there already.
bool KeySet::insert(Key key)
{
    // Neighbours in the alphabet shall not be neighbours in the table.
    constexpr std::uint64_t spread = 0x9E37'79B9'7F4A'7C15U;
    std::size_t mask = slots_.size() - 1;
    for (std::size_t at = (key * spread) >> 40 & mask;; at = (at + 1) & mask) {
        Slot& slot = slots_[at];
        if (slot.round != round_) {
            slot = {key, round_};
            return true;
        }
        if (slot.key == key)
            return false;
    }
}

void KeySet::grow()
{
    slots_.assign(slots_.size() * 2, {});
    for (Key key : keys_)
        insert(key);
}

void KeySet::add(Zone zone, std::string_view text)
{
    if (std::exchange(taken_, false))
        keys_.clear();
    for (std::size_t i = 0; i + 3 <= text.size(); ++i) {
        Key key = key_of(zone, text.data() + i);
        if (!insert(key))
            continue;
        keys_.push_back(key);
        if (keys_.size() * 2 > slots_.size())
            grow();
    }
}

const std::vector<Key>& KeySet::take()
{
    if (std::exchange(taken_, true))
        keys_.clear();
    if (++round_ == 0) {
        slots_.assign(slots_.size(), {});
        round_ = 1;
    }
    return keys_;
}

}  // namespace search
