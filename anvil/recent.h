// Recent: a table of bounded size in which the least recently touched entry is forgotten first.
#pragma once

#include "libutil/check.h"
#include "libutil/time.h"

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace anvil {

template <typename Value>
class Recent {
public:
    explicit Recent(std::size_t limit) : limit_(limit) {}

    void set_limit(std::size_t limit) { limit_ = limit; }
    std::size_t size() const { return index_.size(); }
    // How many entries were forgotten although they still counted.
    std::uint64_t evicted() const { return evicted_; }

    Value* find(const std::string& key)
    {
        auto found = index_.find(key);
        return found == index_.end() ? nullptr : &found->second->second;
    }

    // The entry, made if it is not there, and now the most recent one.  Room is made by what `is_over`
    // says counts no more, then by the least recent of which `may_go` is true; of the `patience` oldest none
    // may: by the oldest.
    template <typename IsOver, typename MayGo>
    Value& touch(const std::string& key, IsOver is_over, MayGo may_go)
    {
        if (auto found = index_.find(key); found != index_.end()) {
            entries_.splice(entries_.end(), entries_, found->second);
            return found->second->second;
        }
        forget_old(is_over);
        while (index_.size() >= limit_)
            evict(may_go);
        entries_.emplace_back(key, Value{});
        auto last = std::prev(entries_.end());
        index_.emplace(last->first, last);
        return last->second;
    }

    // Forgets what is over, from the oldest on, up to the first that is not.
    template <typename IsOver>
    void forget_old(IsOver is_over)
    {
        while (!entries_.empty() && is_over(entries_.front().second))
            erase(entries_.begin());
    }

    // Forgets those whose keys `is_meant` says; how many.
    template <typename IsMeant>
    std::size_t erase_if(IsMeant is_meant)
    {
        std::size_t before = size();
        for (auto entry = entries_.begin(); entry != entries_.end();) {
            auto next = std::next(entry);
            if (is_meant(entry->first))
                erase(entry);
            entry = next;
        }
        return before - size();
    }

private:
    using Entries = std::list<std::pair<std::string, Value>>;
    static constexpr int patience = 100;

    template <typename MayGo>
    void evict(MayGo may_go)
    {
        auto candidate = entries_.begin();
        for (int tries = 0; tries < patience && candidate != entries_.end(); ++tries, ++candidate) {
            if (may_go(candidate->second)) {
                ++evicted_;
                return erase(candidate);
            }
        }
        ++evicted_;
        erase(entries_.begin());
    }

    void erase(typename Entries::iterator entry)
    {
        index_.erase(entry->first);
        entries_.erase(entry);
    }

    std::size_t limit_;
    std::uint64_t evicted_ = 0;
    Entries entries_;  // the least recent first
    std::unordered_map<std::string, typename Entries::iterator> index_;
};

}  // namespace anvil
