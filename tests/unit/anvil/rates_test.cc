#include "anvil/rates.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

using ipc::AnvilEvent;
using namespace std::chrono_literals;

constexpr util::Instant midday = util::Instant(std::chrono::hours(12));

struct RateBench {
    explicit RateBench(std::size_t limit = 100) : rates(limit, 60s) {}

    ipc::Counted count(AnvilEvent event, std::string network, util::Duration at = {}, std::string account = {})
    {
        return rates.count({event, "smtp", std::move(network), std::move(account)}, midday + at, util::from_unix_seconds(0));
    }
    std::string connect(std::string network, util::Duration at = {})
    {
        auto counted = count(AnvilEvent::Connection, std::move(network), at);
        return util::concat(counted.connections, ' ', counted.rate);
    }
    anvil::Rates rates;
};

TEST(connections_are_counted_until_they_end)
{
    RateBench bench;
    EQ(bench.connect("a"), "1 1");
    EQ(bench.connect("a"), "2 2");
    EQ(bench.connect("b"), "1 1");
    bench.rates.disconnect("smtp:a");
    EQ(bench.connect("a"), "2 3");
    bench.rates.disconnect("smtp:nobody");
    for (int i = 0; i < 5; ++i)
        bench.rates.disconnect("smtp:a");
    EQ(bench.connect("a"), "1 4");
}
END_TEST

TEST(rates_begin_anew_after_the_time_unit)
{
    RateBench bench;
    EQ(bench.connect("a"), "1 1");
    EQ(bench.connect("a", 60s), "2 2");
    EQ(bench.connect("a", 60001ms), "3 1");
    EQ(bench.count(AnvilEvent::Message, "a", 61s).rate, 1u);
    EQ(bench.count(AnvilEvent::Message, "a", 62s).rate, 2u);
    EQ(bench.count(AnvilEvent::Recipient, "a", 62s).rate, 1u);
    EQ(bench.count(AnvilEvent::Message, "a", 62s).connections, 3u);
}
END_TEST

TEST(services_are_counted_apart_and_accounts_together)
{
    RateBench bench;
    auto event = [&](std::string service) {
        return bench.rates.count({AnvilEvent::Message, std::move(service), "n", "anna"}, midday, util::from_unix_seconds(0));
    };
    EQ(event("smtp").account_rate, 1u);
    auto second = event("submission");
    EQ(second.account_rate, 2u);
    EQ(second.rate, 1u);
    auto account_only = bench.count(AnvilEvent::Message, "", {}, "anna");
    EQ(account_only.account_rate, 3u);
    EQ(account_only.rate, 0u);
}
END_TEST

TEST(the_table_is_bounded_and_forgets_the_oldest_without_connections)
{
    RateBench bench(3);
    bench.connect("held");
    for (const char* name : {"a", "b"})
        bench.count(AnvilEvent::Message, name);
    EQ(bench.rates.size(), 3u);
    bench.count(AnvilEvent::Message, "c");
    EQ(bench.rates.size(), 3u);
    EQ(bench.rates.evicted(), 1u);
    EQ(bench.connect("held"), "2 2");
    EQ(bench.count(AnvilEvent::Message, "a").rate, 1u);  // was forgotten
}
END_TEST

TEST(when_all_have_connections_the_oldest_goes)
{
    RateBench bench(2);
    bench.connect("a");
    bench.connect("b");
    EQ(bench.connect("c"), "1 1");
    EQ(bench.rates.size(), 2u);
    bench.rates.disconnect("smtp:a");
    EQ(bench.connect("b"), "2 2");
}
END_TEST

TEST(what_is_over_makes_room_without_eviction)
{
    RateBench bench(2);
    bench.count(AnvilEvent::Message, "a");
    bench.count(AnvilEvent::Message, "b");
    bench.count(AnvilEvent::Message, "c", 61s);
    EQ(bench.rates.evicted(), 0u);
    EQ(bench.rates.size(), 1u);
    bench.rates.forget_old(midday + 200s);
    EQ(bench.rates.size(), 0u);
}
END_TEST

TEST(peaks_are_told_once)
{
    RateBench bench;
    bench.connect("a");
    bench.connect("a");
    bench.connect("b");
    auto statistics = bench.rates.take_statistics();
    EQ(statistics.connections.value, 2u);
    EQ(statistics.connections.who, "(smtp:a)");
    EQ(statistics.rates[0].value, 2u);
    EQ(statistics.rates[1].value, 0u);
    EQ(statistics.entries.value, 2u);
    EQ(bench.rates.take_statistics().connections.value, 0u);
}
END_TEST

}  // namespace

SUITE(rates, connections_are_counted_until_they_end, rates_begin_anew_after_the_time_unit,
      services_are_counted_apart_and_accounts_together, the_table_is_bounded_and_forgets_the_oldest_without_connections,
      when_all_have_connections_the_oldest_goes, what_is_over_makes_room_without_eviction, peaks_are_told_once)
