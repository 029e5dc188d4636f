// Dialogues: how many log-ins are under way from each network, of which there is a limit.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace ipc {

// What is said to whom there is no place for.
constexpr std::string_view too_many_dialogues = "Too many connections are logging in from your address";

class Dialogues {
    using Counts = std::unordered_map<std::string, std::size_t>;
    struct Leave {
        Counts* counts = nullptr;
        void operator()(Counts::value_type* entry) const
        {
            if (--entry->second == 0)
                counts->erase(counts->find(entry->first));
        }
    };

public:
    // One of them: it counts for as long as it is kept.
    using Place = std::unique_ptr<Counts::value_type, Leave>;

    // Null: the network has `limit` of them (at least 1).  The Dialogues outlive the Place.
    Place enter(const std::string& network, std::size_t limit)
    {
        auto& entry = *counts_.try_emplace(network).first;
        if (entry.second >= limit)
            return {};
        ++entry.second;
        return Place(&entry, Leave{&counts_});
    }

    std::size_t networks() const { return counts_.size(); }

private:
    Counts counts_;
};

}  // namespace ipc
