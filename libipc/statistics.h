// tern(1) -> qmgr(8), auth(8): counters since the daemon's start, for tern stats.
//
// They are kept in the daemon's memory and cost nothing until somebody asks.
#pragma once

#include "libipc/wire.h"

namespace ipc {

struct StatisticsWanted {
    static constexpr std::string_view message_name = "statistics-wanted";

    static void fields(auto&, auto&) {}
};

// One number, named as in Prometheus' text form: name{label="value"}.
struct Metric {
    enum class Kind : std::uint8_t { Counter,
                                     Gauge,
                                     last_ = Gauge };
    std::string name;         // "deliveries_total"
    std::string label;        // "result"; empty: there is none
    std::string label_value;  // "sent"
    std::uint64_t value = 0;
    Kind kind = Kind::Counter;
    bool microseconds = false;  // told as seconds

    static void fields(auto& message, auto& visit)
    {
        visit("name", message.name);
        visit("label", message.label);
        visit("label_value", message.label_value);
        visit("value", message.value);
        visit("kind", message.kind);
        visit("microseconds", message.microseconds);
    }
};

struct Statistics {
    static constexpr std::string_view message_name = "statistics";
    std::vector<Metric> metrics;

    static void fields(auto& message, auto& visit) { visit("metric", message.metrics); }
};

}  // namespace ipc
