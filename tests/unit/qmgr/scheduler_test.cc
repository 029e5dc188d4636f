// qmgr/scheduler.h: the rules one by one, then seeded simulations.
#include "qmgr/scheduler.h"

#include "tests/unit/cpu_time.h"
#include "tests/unit/suite.h"

#include <algorithm>
#include <queue>
#include <set>

using namespace qmgr;
using namespace std::chrono_literals;

namespace {

const util::Instant start_time{std::chrono::hours(1000)};

std::vector<std::uint32_t> indices(std::uint32_t count, std::uint32_t first = 0)
{
    std::vector<std::uint32_t> result;
    for (std::uint32_t i = 0; i < count; ++i)
        result.push_back(first + i);
    return result;
}

bool anyone(const std::string&) { return true; }

// A scheduler with the same rules for all transports.
struct Bench {
    explicit Bench(TransportRules its_rules = {})
        : rules(its_rules), scheduler([this](std::string_view) { return rules; })
    {
    }
    bool add(MessageNumber message, std::string_view nexthop, std::uint32_t count = 1, std::string_view transport = "smtp")
    {
        return !scheduler.add(message, transport, nexthop, nexthop, indices(count), now);
    }
    std::optional<Order> next() { return scheduler.next(now, anyone); }
    MessageNumber next_message()
    {
        auto order = next();
        if (!order)
            return 0;
        last = order->entry;
        return order->message;
    }
    std::vector<Withdrawn> finish(EntryNumber entry, Scheduler::Result result = Scheduler::Result::Delivered)
    {
        return scheduler.finish(entry, result, "reason", now);
    }

    TransportRules rules;
    Scheduler scheduler;
    util::Instant now = start_time;
    EntryNumber last = 0;
};

TEST(recipients_are_split_by_the_limit)
{
    Bench bench({.recipient_limit = 50});
    THAT(bench.add(1, "a", 120));
    std::multiset<std::size_t> sizes;
    std::set<std::uint32_t> seen;
    while (auto order = bench.next()) {
        sizes.insert(order->recipients.size());
        seen.insert(order->recipients.begin(), order->recipients.end());
        bench.finish(order->entry);
    }
    EQ(seen.size(), 120u);
    THAT(sizes == std::multiset<std::size_t>({20, 50, 50}));
    EQ(bench.scheduler.waiting(), 0u);
    EQ(bench.scheduler.destinations(), 0u);
}
END_TEST

TEST(a_window_limits_a_destination_and_no_other)
{
    Bench bench({.initial_concurrency = 2, .concurrency_limit = 2});
    for (MessageNumber message = 1; message <= 4; ++message)
        bench.add(message, "a");
    bench.add(5, "b");
    EQ(bench.next_message(), 1u);
    EntryNumber first = bench.last;
    EQ(bench.next_message(), 2u);
    EQ(bench.next_message(), 5u);
    THAT(!bench.next());
    bench.finish(first);
    EQ(bench.next_message(), 3u);
    THAT(!bench.next());
    // Stored, but not yet durable: the next may start.
    bench.scheduler.release(bench.last);
    EQ(bench.next_message(), 4u);
    EQ(bench.scheduler.in_flight(), 4u);
}
END_TEST

TEST(an_order_says_whether_it_fills_the_window)
{
    Bench bench({.initial_concurrency = 2, .concurrency_limit = 2});
    for (MessageNumber message = 1; message <= 3; ++message)
        bench.add(message, "a");
    THAT(!bench.next()->fills_window);
    auto second = bench.next();
    THAT(second->fills_window);
    bench.scheduler.release(second->entry);
    THAT(bench.next()->fills_window);
}
END_TEST

TEST(transports_take_turns)
{
    Bench bench;
    for (MessageNumber message = 1; message <= 3; ++message) {
        bench.add(message, "a", 1, "smtp");
        bench.add(message + 10, "a", 1, "local");
    }
    std::vector<MessageNumber> order;
    while (auto message = bench.next_message())
        order.push_back(message);
    THAT(order == std::vector<MessageNumber>({1, 11, 2, 12, 3, 13}));
}
END_TEST

TEST(a_transport_whose_agents_are_busy_does_not_stop_others)
{
    Bench bench;
    bench.add(1, "a", 1, "smtp");
    bench.add(2, "a", 1, "local");
    auto only_local = [](const std::string& transport) { return transport == "local"; };
    EQ(bench.scheduler.next(bench.now, only_local)->message, 2u);
    THAT(!bench.scheduler.next(bench.now, only_local));
    EQ(bench.next_message(), 1u);
}
END_TEST

TEST(a_window_grows_with_success_up_to_its_limit)
{
    Bench bench({.initial_concurrency = 2, .concurrency_limit = 6});
    bench.add(1000, "a", 1);
    for (MessageNumber message = 1; message < 200; ++message)
        bench.add(message, "a");
    std::deque<EntryNumber> running;
    std::size_t most = 0;
    while (bench.scheduler.waiting() > 0) {
        while (bench.next_message() != 0)
            running.push_back(bench.last);
        most = std::max(most, running.size());
        EQ(running.empty(), false);
        bench.finish(running.front());
        running.pop_front();
    }
    EQ(most, 6u);
}
END_TEST

TEST(failures_narrow_a_window_and_then_the_destination_is_dead)
{
    Bench bench({.initial_concurrency = 5, .concurrency_limit = 20, .failed_cohort_limit = 1, .dead_time = 300s});
    for (MessageNumber message = 1; message <= 20; ++message)
        bench.add(message, "a");
    std::vector<EntryNumber> running;
    while (bench.next_message())
        running.push_back(bench.last);
    EQ(running.size(), 5u);
    // 1/5 + 1/3 and then 1/2 makes more than one cohort.  The first failure counts twice, as in Postfix.
    for (int i = 0; i < 2; ++i) {
        EQ(bench.finish(running[i], Scheduler::Result::DestinationFailed).size(), 0u);
        EQ(bench.scheduler.window("smtp", "a"), 3.0 - i);
    }
    auto withdrawn = bench.finish(running[2], Scheduler::Result::DestinationFailed);
    EQ(withdrawn.size(), 15u);
    EQ(bench.scheduler.waiting(), 0u);
    auto refused = bench.scheduler.add(50, "smtp", "a", "a", indices(1), bench.now);
    THAT(refused && *refused == "reason");
    bench.now += 301s;
    THAT(bench.add(50, "a"));
    EQ(bench.scheduler.window("smtp", "a"), 2.0);   // what is still on its way there
    bench.finish(running[3]);
    bench.finish(running[4]);
    EQ(bench.next_message(), 50u);
}
END_TEST

TEST(a_success_forgives_failures)
{
    Bench bench({.initial_concurrency = 5, .concurrency_limit = 5, .failed_cohort_limit = 1});
    for (MessageNumber message = 1; message <= 300; ++message)
        bench.add(message, "a");
    for (int i = 0; i < 100; ++i) {
        THAT(bench.next_message() != 0);
        EQ(bench.finish(bench.last, i % 2 ? Scheduler::Result::Delivered : Scheduler::Result::DestinationFailed).size(), 0u);
    }
}
END_TEST

TEST(a_rate_delay_separates_an_end_from_the_next_start)
{
    Bench bench({.initial_concurrency = 1, .concurrency_limit = 1, .rate_delay = 10s});
    bench.add(1, "a");
    bench.add(2, "a");
    bench.add(3, "b");
    EQ(bench.next_message(), 1u);
    EntryNumber first = bench.last;
    EQ(bench.next_message(), 3u);
    bench.now += 30s;
    THAT(!bench.next());
    EQ(bench.scheduler.next_start(), util::Instant::max());
    bench.finish(first);
    THAT(!bench.next());
    THAT(bench.scheduler.next_start() == bench.now + 10s);
    bench.now += 9s;
    THAT(!bench.next());
    bench.now += 1s;
    EQ(bench.next_message(), 2u);
    bench.finish(bench.last);
    // Nothing waits for it, and yet the delay is kept.
    bench.now += 5s;
    bench.add(4, "a");
    THAT(!bench.next());
    THAT(bench.scheduler.next_start() == bench.now + 5s);
    bench.now += 5s;
    EQ(bench.next_message(), 4u);
    bench.finish(bench.last);
    bench.now += 10s;
    bench.scheduler.expire(bench.now);
    EQ(bench.scheduler.destinations(), 1u);   // b, whose delivery runs
}
END_TEST

TEST(a_transport_rate_delay_separates_all_its_starts)
{
    Bench bench({.transport_delay = 10s});
    bench.add(1, "a");
    bench.add(2, "b");
    EQ(bench.scheduler.next_start(), util::Instant::max());
    EQ(bench.next_message(), 1u);
    bench.finish(bench.last);
    THAT(!bench.next());
    EQ(bench.scheduler.next_start(), start_time + 10s);
    bench.now += 10s;
    EQ(bench.next_message(), 2u);
    THAT(!bench.next());
    EQ(bench.scheduler.next_start(), util::Instant::max());
}
END_TEST

TEST(an_order_says_whether_more_is_there_for_its_destination)
{
    Bench bench({.initial_concurrency = 2});
    bench.add(1, "a");
    bench.add(2, "b");
    bench.add(3, "b");
    bench.add(4, "b");
    auto alone = bench.next();
    THAT(!alone->followed);
    auto first = bench.next();
    THAT(first->followed);
    auto second = bench.next();
    THAT(second->followed);
    bench.finish(first->entry);
    bench.finish(second->entry);
    THAT(!bench.next()->followed);
}
END_TEST

TEST(what_is_withdrawn_is_what_has_not_started)
{
    Bench bench({.initial_concurrency = 1, .concurrency_limit = 1, .recipient_limit = 1});
    bench.add(1, "a", 5);
    bench.add(2, "a", 1);
    EQ(bench.next_message(), 1u);
    EQ(bench.scheduler.withdraw(1).size(), 4u);
    EQ(bench.scheduler.waiting(), 1u);
    bench.finish(bench.last);
    EQ(bench.next_message(), 2u);
    EQ(bench.scheduler.withdraw(2).size(), 0u);
    bench.add(3, "b", 2);
    auto refuse = [](const std::string&) { return false; };
    THAT(!bench.scheduler.next(bench.now, refuse));
    EQ(bench.scheduler.withdraw_transport("smtp").size(), 2u);
    EQ(bench.scheduler.waiting(), 0u);
    bench.finish(bench.last);
    EQ(bench.scheduler.destinations(), 0u);
}
END_TEST

// One user gets twenty thousand messages: each delivery costs the same as if there were few.
TEST(many_messages_to_one_destination_are_cheap)
{
    Bench bench({.initial_concurrency = 2, .concurrency_limit = 2});
    constexpr MessageNumber count = 20'000;
    for (MessageNumber message = 1; message <= count; ++message)
        bench.add(message, "a");
    double begin = test::cpu_seconds();
    EQ(bench.next_message(), 1u);
    for (MessageNumber message = 2; message <= count; ++message) {
        EntryNumber before = bench.last;
        EQ(bench.next_message(), message);
        THAT(!bench.next());
        bench.finish(before);
    }
    // Walking through all jobs each time would take some ten seconds.
    THAT(test::cpu_seconds() - begin < 5);
}
END_TEST

// A newsletter to ten thousand destinations, then a letter: it passes after a few deliveries.
TEST(a_letter_passes_a_newsletter)
{
    Bench bench({.recipient_limit = 1});
    for (std::uint32_t i = 0; i < 10'000; ++i)
        bench.scheduler.add(1, "smtp", util::concat("d", i), util::concat("d", i), {i}, bench.now);
    for (int i = 0; i < 100; ++i) {
        EQ(bench.next_message(), 1u);
        bench.finish(bench.last);
    }
    bench.add(2, "letter");
    int before = 0;
    while (bench.next_message() == 1) {
        bench.finish(bench.last);
        ++before;
    }
    THAT(before <= 5);
}
END_TEST

TEST(preemption_costs_a_newsletter_a_fair_share_only)
{
    Bench bench({.recipient_limit = 1});
    constexpr std::uint32_t size = 2'000;
    for (std::uint32_t i = 0; i < size; ++i)
        bench.scheduler.add(1, "smtp", util::concat("d", i), util::concat("d", i), {i}, bench.now);
    // A letter for every single delivery: they would like all of it.
    MessageNumber letter = 2;
    std::uint32_t done = 0, steps = 0;
    for (; done < size; ++steps) {
        bench.add(letter, util::concat("l", letter));
        ++letter;
        auto message = bench.next_message();
        bench.finish(bench.last);
        done += message == 1;
        THAT(steps < 10 * size);
    }
    // 5/(5-1) and the discount of one half.
    THAT(steps <= size * 3 / 2);
}
END_TEST

// Random messages, destinations, results and limits: nothing is lost, given twice, or over a limit.
void simulate(unsigned seed)
{
    std::uint64_t state = seed * 2654435761U + 1;
    auto random = [&](std::uint64_t limit) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        return (state >> 33) % limit;
    };
    TransportRules rules;
    rules.initial_concurrency = static_cast<unsigned>(1 + random(6));
    rules.concurrency_limit = rules.initial_concurrency + static_cast<unsigned>(random(10));
    rules.recipient_limit = static_cast<unsigned>(1 + random(5));
    rules.slot_cost = static_cast<unsigned>(random(7));
    rules.dead_time = 20s;
    if (random(4) == 0)
        rules.rate_delay = 1s;
    Bench bench(rules);
    struct Running {
        util::Instant end;
        EntryNumber entry;
        MessageNumber message;
        std::string destination;
        std::vector<std::uint32_t> recipients;
    };
    std::vector<Running> running;
    std::map<MessageNumber, std::set<std::uint32_t>> open;
    std::map<std::string, unsigned> busy;
    MessageNumber next_message = 1;
    auto take_back = [&](const std::vector<Withdrawn>& items) {
        for (const auto& item : items)
            for (std::uint32_t index : item.recipients)
                EQ(open[item.message].erase(index), 1u);
    };
    for (int step = 0; step < 3'000; ++step) {
        bench.now += std::chrono::milliseconds(random(500));
        if (step < 2'000 && random(3) == 0) {
            std::uint32_t count = static_cast<std::uint32_t>(random(20) == 0 ? 1 + random(300) : 1 + random(4));
            MessageNumber message = next_message++;
            for (std::uint32_t i = 0; i < count; ++i) {
                std::string destination = util::concat("d", random(12));
                std::string_view transport = random(2) ? "smtp" : "relay";
                if (!bench.scheduler.add(message, transport, destination, destination, {i}, bench.now))
                    open[message].insert(i);
            }
        }
        if (random(50) == 0 && next_message > 1) {
            MessageNumber victim = 1 + random(next_message - 1);
            take_back({{victim, bench.scheduler.withdraw(victim)}});
        }
        while (running.size() < 40) {
            auto order = bench.next();
            if (!order)
                break;
            THAT(order->recipients.size() <= rules.recipient_limit);
            std::string destination = order->transport + order->nexthop;
            THAT(++busy[destination] <= rules.concurrency_limit);
            for (std::uint32_t index : order->recipients)
                EQ(open[order->message].erase(index), 1u);
            running.push_back({bench.now + std::chrono::milliseconds(random(3000)), order->entry, order->message, destination,
                               order->recipients});
        }
        for (std::size_t i = 0; i < running.size();) {
            if (running[i].end > bench.now) {
                ++i;
                continue;
            }
            --busy[running[i].destination];
            auto result = random(6) == 0   ? Scheduler::Result::DestinationFailed
                          : random(5) == 0 ? Scheduler::Result::Neither
                                           : Scheduler::Result::Delivered;
            take_back(bench.finish(running[i].entry, result));
            running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
        }
        std::size_t left = 0;
        for (const auto& item : open)
            left += item.second.size();
        THAT((left == 0) == (bench.scheduler.waiting() == 0));
    }
    // Everything comes to its end: no job is forgotten behind a blocker.
    for (int step = 0; step < 20'000 && (bench.scheduler.waiting() > 0 || !running.empty()); ++step) {
        bench.now += 1s;
        while (auto order = bench.next()) {
            for (std::uint32_t index : order->recipients)
                EQ(open[order->message].erase(index), 1u);
            running.push_back({bench.now, order->entry, order->message, "", {}});
        }
        for (auto& item : running)
            take_back(bench.finish(item.entry));
        running.clear();
    }
    ck_assert_msg(bench.scheduler.waiting() == 0, "seed %u", seed);
    for (const auto& item : open)
        EQ(item.second.size(), 0u);
    bench.now += 100s;
    bench.scheduler.expire(bench.now);
    EQ(bench.scheduler.destinations(), 0u);
}

TEST(simulated_traffic_is_neither_lost_nor_doubled)
{
    for (unsigned seed = 1; seed <= 60; ++seed)
        simulate(seed);
}
END_TEST

SUITE(scheduler, recipients_are_split_by_the_limit, a_window_limits_a_destination_and_no_other,
      an_order_says_whether_it_fills_the_window, transports_take_turns,
      a_transport_whose_agents_are_busy_does_not_stop_others, a_window_grows_with_success_up_to_its_limit,
      failures_narrow_a_window_and_then_the_destination_is_dead, a_success_forgives_failures,
      a_rate_delay_separates_an_end_from_the_next_start, a_transport_rate_delay_separates_all_its_starts,
      an_order_says_whether_more_is_there_for_its_destination, what_is_withdrawn_is_what_has_not_started,
      many_messages_to_one_destination_are_cheap, a_letter_passes_a_newsletter,
      preemption_costs_a_newsletter_a_fair_share_only, simulated_traffic_is_neither_lost_nor_doubled)

}  // namespace
