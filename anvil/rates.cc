// Rates.
#include "anvil/rates.h"

#include "libutil/text.h"

namespace anvil {

namespace {

void note(Peak& peak, std::uint64_t value, std::string_view who, util::WallTime when)
{
    if (value > peak.value)
        peak = {value, std::string(who), when};
}

}  // namespace

void Rates::change(std::size_t limit, util::Duration time_unit)
{
    table_.set_limit(limit);
    time_unit_ = time_unit;
}

// A blank stands in no service's name: no account can look like a network of one.
std::string Rates::key_of(const ipc::CountEvent& event) { return util::concat(event.service, ':', event.network); }

bool Rates::is_over(const Entry& entry, util::Instant now) const
{
    return entry.connections == 0 && (entry.begin == util::Instant::min() || now - entry.begin > time_unit_);
}

Rates::Entry& Rates::touch(const std::string& key, util::Instant now)
{
    Entry& entry = table_.touch(
        key, [&](const Entry& old) { return is_over(old, now); }, [](const Entry& old) { return old.connections == 0; });
    if (entry.begin == util::Instant::min() || now - entry.begin > time_unit_) {
        entry.begin = now;
        entry.events = {};
    }
    return entry;
}

ipc::Counted Rates::count(const ipc::CountEvent& event, util::Instant now, util::WallTime wall_now)
{
    ipc::Counted answer;
    auto kind = std::size_t(event.event);
    if (!event.network.empty()) {
        std::string key = key_of(event);
        Entry& entry = touch(key, now);
        answer.rate = ++entry.events[kind];
        std::string who = util::concat('(', key, ')');
        note(statistics_.rates[kind], answer.rate, who, wall_now);
        if (event.event == ipc::AnvilEvent::Connection) {
            ++entry.connections;
            note(statistics_.connections, entry.connections, who, wall_now);
        }
        answer.connections = entry.connections;
    }
    if (!event.account.empty())
        answer.account_rate = ++touch(util::concat("account ", event.account), now).events[kind];
    note(statistics_.entries, table_.size(), {}, wall_now);
    return answer;
}

void Rates::disconnect(const std::string& key)
{
    if (Entry* entry = table_.find(key); entry && entry->connections > 0)
        --entry->connections;
}

void Rates::forget_old(util::Instant now)
{
    table_.forget_old([&](const Entry& entry) { return is_over(entry, now); });
}

Statistics Rates::take_statistics()
{
    return std::exchange(statistics_, {});
}

}  // namespace anvil
