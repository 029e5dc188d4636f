// Seeded simulations of days of traffic (simulation.h).  SEED=N runs that one alone; LONG=1 runs many, and larger
// ones.
#include "tests/unit/qmgr/simulation.h"

#include <cstdio>
#include <cstdlib>

using namespace test;

namespace {

bool is_long() { return std::getenv("LONG") != nullptr; }

// Calls run(seed) for each, and says which.
template <typename Run>
void for_seeds(const char* what, unsigned count, unsigned count_if_long, Run run)
{
    const char* wanted = std::getenv("SEED");
    unsigned first = wanted ? static_cast<unsigned>(std::atoi(wanted)) : 1;
    unsigned last = wanted ? first : is_long() ? count_if_long : count;
    std::printf("%s: SEED=%u..%u\n", what, first, last);
    std::fflush(stdout);
    for (unsigned seed = first; seed <= last; ++seed)
        run(seed);
}

// What a seed makes of the rules, before the world has its own turn.
struct Choice {
    explicit Choice(unsigned seed) : engine(seed) {}
    unsigned below(unsigned limit) { return static_cast<unsigned>(engine() % limit); }
    std::mt19937 engine;
};

void set(Config& config, const std::string& name, const std::string& text)
{
    for (conf::Parameter* parameter : config.parameters()) {
        if (!parameter->covers(name))
            continue;
        auto read = parameter->name() == name ? parameter->read(text) : parameter->read_member(name, text);
        OK(read);
        return;
    }
    ck_abort_msg("no parameter %s", name.c_str());
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Settings : Config {
    explicit Settings(const Pairs& others)
    {
        for (conf::Parameter* parameter : parameters())
            parameter->set_default_text(parameter->name() == "minimal_backoff_time" ? "300s" : parameter->default_text());
        for (conf::Parameter* parameter : parameters()) {
            OK(parameter->read(parameter->default_text()));
            for (const auto& member : parameter->member_defaults())
                OK(parameter->read_member(member.first, member.second));
        }
        for (const auto& [name, text] : others)
            set(*this, name, text);
    }
};

// Comes every `mean` on average, a few at a time.
void keep_posting(World& world, util::Duration mean, util::Instant end, std::uint64_t burst, std::function<void()> post)
{
    world.at(world.now() + world.random(1ms, 2 * mean), [&world, mean, end, burst, post = std::move(post)] {
        if (world.now() >= end)
            return;
        for (std::uint64_t left = 1 + world.random(burst + 1); left > 0; --left)
            post();
        keep_posting(world, mean, end, burst, post);
    });
}

// --- all at once -----------------------------------------------------------------------------------

struct Towns {
    std::vector<std::uint32_t> fast, slow, flapping, dead, paced, all;
};

Towns build_towns(World& world)
{
    Towns towns;
    auto add = [&](std::vector<std::uint32_t>& kind, Site site) {
        site.name = util::concat("site", towns.all.size());
        kind.push_back(static_cast<std::uint32_t>(world.add_site(std::move(site))));
        towns.all.push_back(kind.back());
    };
    for (int i = 0; i < 20; ++i)
        add(towns.fast, {.name = "", .percent_deferred = i % 4 == 0 ? 5U : 0U});
    for (int i = 0; i < 4; ++i)
        add(towns.slow,
            {.name = "", .shortest = 5s, .longest = 20s, .capacity = 3 + 4 * static_cast<unsigned>(i), .healthy = false});
    for (int i = 0; i < 4; ++i)
        add(towns.flapping, {.name = "",
                             .up = world.random(10min, 3h),
                             .down = world.random(1min, 2h),
                             .failure_time = i % 2 ? 30s : 20ms,
                             .healthy = false});
    for (util::Duration failure_time : {30'000ms, 300ms})
        add(towns.dead, {.name = "", .up = 0s, .down = 1h, .failure_time = failure_time, .healthy = false});
    for (const char* transport : {"polite", "polite", "strict", "strict"})
        add(towns.paced, {.name = "", .transport = transport, .healthy = false});
    return towns;
}

// Many sites that nobody else writes to, and some that everybody does.
std::vector<std::uint32_t> subscribers(World& world, const Towns& towns, std::size_t count)
{
    std::vector<std::uint32_t> sites;
    for (std::size_t i = 0; i < count; ++i)
        sites.push_back(i % 10 == 0 ? towns.all[world.random(towns.all.size() - towns.paced.size())]
                                    : towns.all.back() + 1 + static_cast<std::uint32_t>(world.random(count / 5)));
    return sites;
}

void live(unsigned seed)
{
    constexpr const char* feedbacks[] = {"1", "1/concurrency", "1/sqrt_concurrency", "0.5"};
    Choice choice(seed);
    auto feedback = [&] { return feedbacks[choice.below(4)]; };
    auto days = is_long() ? 6 : 2;
    std::size_t deferred = is_long() ? 100'000 : 10'000, active = deferred / 5;
    Settings config(Pairs{{"qmgr_message_active_limit", std::to_string(active)},
                     {"maximal_queue_lifetime", is_long() ? "5d" : "1d"},
                     {"initial_destination_concurrency", std::to_string(2 + choice.below(5))},
                     {"default_destination_concurrency_limit", std::to_string(8 + choice.below(13))},
                     {"default_destination_concurrency_positive_feedback", feedback()},
                     {"default_destination_concurrency_negative_feedback", feedback()},
                     {"default_destination_concurrency_failed_cohort_limit", std::to_string(1 + choice.below(4))},
                     {"polite_destination_rate_delay", "20s"},
                     {"strict_transport_rate_delay", "10s"}});
    World world(seed, config, 250, 20s);
    Towns towns = build_towns(world);
    std::size_t list_size = is_long() ? 10'000 : 2'000;
    for (std::size_t i = 0; i < list_size / 5; ++i)
        world.add_site({.name = util::concat("member", i), .shortest = 200ms, .longest = 2s, .healthy = false});
    for (std::size_t i = 0; i < deferred; ++i) {
        auto age = world.random(1h, 8h);
        world.preload(towns.dead[i % 50 == 0], age, world.random(1s, 300s));
    }
    util::Instant end = world.now() + std::chrono::hours(24 * days);
    auto one_of = [&](const std::vector<std::uint32_t>& kind) { return kind[world.random(kind.size())]; };
    keep_posting(world, 20s, end, 4, [&] { world.post({one_of(towns.fast)}); });
    keep_posting(world, 60s, end, 4, [&] { world.post({one_of(towns.slow)}); });
    keep_posting(world, 60s, end, 3, [&] { world.post({one_of(towns.flapping)}); });
    keep_posting(world, 120s, end, 1, [&] { world.post({one_of(towns.dead)}); });
    keep_posting(world, 120s, end, 2, [&] { world.post({one_of(towns.paced)}); });
    keep_posting(world, 300s, end, 0, [&] {
        std::vector<std::uint32_t> sites;
        for (std::uint64_t i = 0; i < 2 + world.random(8); ++i)
            sites.push_back(one_of(towns.all));
        world.post(sites);
    });
    keep_posting(world, 8h, end, 0, [&] { world.post(subscribers(world, towns, list_size)); });
    // A burst that a slow site's window holds up, and a full active queue.
    world.at(world.now() + 2h, [&] {
        for (std::size_t i = 0; i < active / 10; ++i)
            world.post({one_of(towns.slow)});
    });
    world.run_until(end);
    for (std::uint32_t index : towns.dead) {
        // In each of its dead times nothing is tried, then as many as at first.
        auto rounds = std::chrono::hours(24 * days) / *config.minimal_backoff_time + 1;
        auto most = static_cast<std::uint64_t>(rounds) * *config.initial_concurrency * config.failed_cohort_limit.of("smtp");
        ck_assert_msg(world.site(index).attempts <= most, "SEED=%u: %lu attempts at a dead destination", seed,
                      static_cast<unsigned long>(world.site(index).attempts));
    }
    world.finish();
    EQ(world.posted(), world.delivered() + world.returned());
    THAT(world.waits().messages > 1'000);
    if (is_long() || std::getenv("SEED"))
        std::printf(
            "  SEED=%u: %lu recipients, %lu returned, %lu orders; a new message waited %.1f s at most; %zu active at most; attempts at dead sites: %lu, %lu\n",
            seed, static_cast<unsigned long>(world.posted()), static_cast<unsigned long>(world.returned()),
            static_cast<unsigned long>(world.orders()), std::chrono::duration<double>(world.waits().longest).count(),
            world.most_active(), static_cast<unsigned long>(world.site(towns.dead[0]).attempts),
            static_cast<unsigned long>(world.site(towns.dead[1]).attempts));
}

TEST(days_of_mixed_traffic_keep_every_promise)
{
    for_seeds("mixed traffic", 3, 20, live);
}
END_TEST

// --- one thing at a time ---------------------------------------------------------------------------

// A site takes only so many deliveries at a time, and there is always more for it.
void converge(unsigned seed)
{
    Choice choice(seed);
    unsigned capacity = 3 + choice.below(13);
    bool gentle = choice.below(2);
    Settings config(Pairs{{"default_destination_concurrency_positive_feedback", gentle ? "1/concurrency" : "1"},
                     {"default_destination_concurrency_negative_feedback", gentle ? "1/concurrency" : "1"},
                     {"default_destination_concurrency_failed_cohort_limit", "10"},
                     {"qmgr_message_active_limit", "100000"},
                     {"qmgr_message_recipient_limit", "100000"}});
    World world(seed, config, 100, 1000h);
    auto site = static_cast<std::uint32_t>(
        world.add_site({.name = "narrow", .shortest = 500ms, .longest = 1500ms, .capacity = capacity}));
    auto wide = static_cast<std::uint32_t>(world.add_site({.name = "wide", .shortest = 500ms, .longest = 1500ms}));
    util::Instant begin = world.now(), end = begin + 20min;
    for (util::Instant when = begin; when < end; when += 1s)
        world.at(when, [&world, site, wide, capacity] {
            for (unsigned i = 0; i < capacity + 2; ++i)
                world.post({site});
            for (unsigned i = 0; i < 22; ++i)
                world.post({wide});
        });
    double before[2] = {};
    world.at(begin + 5min, [&] {
        before[0] = world.site(site).busy_seconds;
        before[1] = world.site(wide).busy_seconds;
    });
    world.run_until(end);
    double narrow_mean = (world.site(site).busy_seconds - before[0]) / 900,
           wide_mean = (world.site(wide).busy_seconds - before[1]) / 900;
    std::printf("  SEED=%u: capacity %u, %s: %.1f at a time (%lu of %lu refused); 20: %.1f\n", seed, capacity,
                gentle ? "1/concurrency" : "1", narrow_mean, static_cast<unsigned long>(world.site(site).refusals),
                static_cast<unsigned long>(world.site(site).attempts), wide_mean);
    ck_assert_msg(narrow_mean >= 0.8 * capacity && narrow_mean <= capacity + 2.0,
                  "SEED=%u: %.1f deliveries at a time, %u can be", seed, narrow_mean, capacity);
    ck_assert_msg(wide_mean > 18, "SEED=%u: %.1f deliveries at a time, 20 may be", seed, wide_mean);
}

TEST(concurrency_finds_what_a_destination_takes)
{
    for_seeds("concurrency", 4, 40, converge);
}
END_TEST

// A list message whose destinations are all there, and letters for others: what either loses by the other is bounded.
void pass_list(unsigned seed)
{
    Choice choice(seed);
    unsigned cost = 2 + choice.below(8), loan = choice.below(5), size = 500 + choice.below(3000),
             processes = 1 + choice.below(10);
    bool flood = choice.below(2);
    Settings config(Pairs{{"default_destination_recipient_limit", "1"},
                     {"default_delivery_slot_cost", std::to_string(cost)},
                     {"default_delivery_slot_loan", std::to_string(loan)},
                     {"qmgr_message_active_limit", "100000"},
                     {"qmgr_message_recipient_limit", "100000"}});
    World world(seed, config, processes, 1000h);
    std::vector<std::uint32_t> members, friends;
    for (unsigned i = 0; i < size; ++i)
        members.push_back(static_cast<std::uint32_t>(
            world.add_site({.name = util::concat("member", i), .shortest = 100ms, .longest = 100ms, .healthy = false})));
    for (unsigned i = 0; i < 100; ++i)
        friends.push_back(static_cast<std::uint32_t>(
            world.add_site({.name = util::concat("friend", i), .shortest = 100ms, .longest = 100ms})));
    unsigned mine = 0, others = 0, before_letter = 0, slowest_letter = 0;
    world.watch = [&](const Order& order) {
        if (order.message == 0) {
            ++mine;
            ++before_letter;
        } else {
            others += mine < size;
            slowest_letter = std::max(slowest_letter, before_letter);
            before_letter = 0;
        }
    };
    world.post(members);   // message 0
    util::Instant end = world.now() + size * 100ms / processes / 2;
    for (util::Instant when = world.now() + 1s; when < end; when += flood ? 10ms : 1s)
        world.at(when, [&] {
            before_letter = 0;   // counted from the last letter that came
            world.post({friends[world.random(friends.size())]});
        });
    world.finish();
    // Each slot_cost deliveries let one other pass, and a few may on loan; at the end a list has earned more than what
    // is left of it could.
    double most = static_cast<double>(size) / (cost - 1) + loan + 2;
    ck_assert_msg(others <= most, "SEED=%u: %u letters passed a list of %u, slot_cost %u, %u processes%s", seed, others, size,
                  cost, processes, flood ? ", flood" : "");
    ck_assert_msg(!flood || others >= size / (2 * cost) / 2, "SEED=%u: only %u letters passed a list of %u, slot_cost %u", seed,
                  others, size, cost);
    ck_assert_msg(flood || slowest_letter <= cost + 1, "SEED=%u: a letter waited for %u deliveries of a list", seed,
                  slowest_letter);
}

TEST(a_list_and_letters_keep_each_other_waiting_for_a_bounded_time_only)
{
    for_seeds("preemption", 20, 400, pass_list);
}
END_TEST

// A list before, and many messages for a site that can take no more behind it: a letter passes all of them.
void pass_crowd(unsigned seed)
{
    Settings config(Pairs{{"default_destination_recipient_limit", "1"}});
    World world(seed, config, 10, 5s);
    std::vector<std::uint32_t> members;
    for (unsigned i = 0; i < 2'000; ++i)
        members.push_back(static_cast<std::uint32_t>(world.add_site({.name = util::concat("member", i), .healthy = false})));
    auto crowd =
        static_cast<std::uint32_t>(world.add_site({.name = "crowd", .shortest = 100s, .longest = 200s, .healthy = false}));
    auto quick = static_cast<std::uint32_t>(world.add_site({.name = "quick"}));
    for (int i = 0; i < 500; ++i)
        world.post({crowd});
    world.at(world.now() + 1s, [&] { world.post(members); });
    for (int i = 0; i < 500; ++i)
        world.at(world.now() + 2s, [&] { world.post({crowd}); });
    for (int i = 0; i < 20; ++i)
        world.at(world.now() + 5s + i * 1s, [&] { world.post({quick}); });
    world.run_until(world.now() + 10min);
    EQ(world.waits().messages, 20u);
}

TEST(a_letter_passes_a_list_and_a_crowd_that_waits)
{
    for_seeds("a crowd", 2, 20, pass_crowd);
}
END_TEST

// Two lists that fill the active queue with recipients: those who have had their turn make room, long before the last of
// them has.
void fill_with_lists(unsigned seed)
{
    Settings config(Pairs{});
    World world(seed, config, 100, 3s);
    std::vector<std::uint32_t> members;
    for (unsigned i = 0; i < 10'000; ++i)
        members.push_back(static_cast<std::uint32_t>(world.add_site({.name = util::concat("member", i), .healthy = false})));
    auto quick = static_cast<std::uint32_t>(world.add_site({.name = "quick"}));
    world.post(members);
    world.post(members);
    for (int i = 0; i < 60; ++i)
        world.at(world.now() + 100ms + i * 1s, [&] { world.post({quick}); });
    world.run_until(world.now() + 70s);
    EQ(world.waits().messages, 60u);
    ck_assert_msg(world.waiting() > 1'000, "SEED=%u: the lists were over before the letters", seed);
    world.finish();
}

TEST(lists_that_fill_the_active_queue_do_not_keep_letters_out)
{
    for_seeds("full of lists", 2, 10, fill_with_lists);
}
END_TEST

// Limits so small that most mail waits in its file.
void narrow(unsigned seed)
{
    Choice choice(seed);
    Settings config(Pairs{{"qmgr_message_active_limit", std::to_string(1 + choice.below(30))},
                     {"qmgr_message_recipient_limit", std::to_string(1 + choice.below(100))},
                     {"maximal_queue_lifetime", "6h"}});
    World world(seed, config, 20, 1000h);
    Towns towns = build_towns(world);
    util::Instant end = world.now() + 3h;
    keep_posting(world, 30s, end, 10, [&] {
        std::vector<std::uint32_t> sites;
        for (std::uint64_t i = 0; i < 1 + world.random(20) * world.random(2); ++i)
            sites.push_back(world.random(20) ? towns.fast[world.random(towns.fast.size())] : towns.all[world.random(24)]);
        world.post(sites);
    });
    world.run_until(end);
    world.finish();
    EQ(world.posted(), world.delivered() + world.returned());
}

TEST(an_active_queue_keeps_its_limits)
{
    for_seeds("small limits", 4, 60, narrow);
}
END_TEST

SUITE(simulation, days_of_mixed_traffic_keep_every_promise, concurrency_finds_what_a_destination_takes,
      a_list_and_letters_keep_each_other_waiting_for_a_bounded_time_only, a_letter_passes_a_list_and_a_crowd_that_waits,
      lists_that_fill_the_active_queue_do_not_keep_letters_out, an_active_queue_keeps_its_limits)

}  // namespace
