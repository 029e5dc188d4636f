// What qmgr counts, for tern stats.
#pragma once

#include "libipc/delivery.h"
#include "libipc/statistics.h"

#include <array>

namespace qmgr {

struct Counters {
    std::uint64_t messages = 0;                 // taken up: new ones, and each attempt of deferred ones
    std::array<std::uint64_t, 3> deliveries{};  // by Disposition, each attempt of each recipient
    std::uint64_t expired = 0;                  // messages
    std::uint64_t examined = 0;                 // names in the queue's directories, by looks through them
    std::uint64_t opened = 0;                   // queue files
    std::array<std::uint64_t, 3> races{};       // won, refused, kept
    // The four delays of the log, microseconds, of the deliveries that an agent has answered.
    std::uint64_t answered = 0;
    std::array<std::uint64_t, 4> delays{};

    std::vector<ipc::Metric> metrics() const
    {
        constexpr std::string_view results[] = {"sent", "deferred", "bounced"}, ends[] = {"delivered", "refused", "kept"},
                                   stages[] = {"before_queue", "queue", "connection", "transmission"};
        std::vector<ipc::Metric> out;
        out.push_back({"messages_total", "", "", messages});
        for (std::size_t i = 0; i < deliveries.size(); ++i)
            out.push_back({"deliveries_total", "result", std::string(results[i]), deliveries[i]});
        out.push_back({"expired_total", "", "", expired});
        out.push_back({"files_examined_total", "", "", examined});
        out.push_back({"files_opened_total", "", "", opened});
        for (std::size_t i = 0; i < races.size(); ++i)
            out.push_back({"races_total", "result", std::string(ends[i]), races[i]});
        out.push_back({"delay_count", "", "", answered});
        for (std::size_t i = 0; i < delays.size(); ++i)
            out.push_back({"delay_seconds_sum", "stage", std::string(stages[i]), delays[i], ipc::Metric::Kind::Counter, true});
        return out;
    }
};

}  // namespace qmgr
