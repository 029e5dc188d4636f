// Rates: connections and events of clients and accounts.  Knows no clock and no descriptor.
//
// As in Postfix, an entry has one window for all its rates: the first event after
// anvil_rate_time_unit begins a new one.
#pragma once

#include "anvil/recent.h"
#include "libipc/anvil.h"

#include <array>
#include <string>

namespace anvil {

// The highest numbers since they were last told, and whose they were.
struct Peak {
    std::uint64_t value = 0;
    std::string who;          // "(smtp:192.0.2.1)"
    util::WallTime when{};
};

struct Statistics {
    std::array<Peak, ipc::anvil_event_kinds> rates;   // by AnvilEvent
    Peak connections;
    Peak entries;
};

class Rates {
public:
    Rates(std::size_t limit, util::Duration time_unit) : table_(limit), time_unit_(time_unit) {}

    void change(std::size_t limit, util::Duration time_unit);
    // `connected`: the event is a Connection that holds until disconnect(key_of(event)).
    ipc::Counted count(const ipc::CountEvent& event, util::Instant now, util::WallTime wall_now);
    static std::string key_of(const ipc::CountEvent& event);
    void disconnect(const std::string& key);
    // Forgets those without connections whose window is over.
    void forget_old(util::Instant now);

    std::size_t size() const { return table_.size(); }
    std::uint64_t evicted() const { return table_.evicted(); }
    // What to log, and a new beginning.
    Statistics take_statistics();

private:
    struct Entry {
        std::uint64_t connections = 0;
        util::Instant begin = util::Instant::min();
        std::array<std::uint64_t, ipc::anvil_event_kinds> events{};
    };
    bool is_over(const Entry& entry, util::Instant now) const;
    Entry& touch(const std::string& key, util::Instant now);

    Recent<Entry> table_;
    util::Duration time_unit_;
    Statistics statistics_;
};

}  // namespace anvil
