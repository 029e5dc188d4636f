#include "anvil/logins.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

using namespace std::chrono_literals;

constexpr util::Instant noon = util::Instant(std::chrono::hours(12));

struct Bench {
    explicit Bench(std::size_t limit = 100) : logins(limit, 600s, 24h) {}

    void ended(std::string network, std::string account, bool good, util::Duration at = {})
    {
        logins.ended({std::move(network), std::move(account), good}, noon + at);
    }
    // "network's failures, account's failures", and whether it is known.
    std::string history(std::string network, std::string account, util::Duration at = {})
    {
        auto found = logins.history({7, std::move(network), std::move(account)}, noon + at);
        EQ(found.request, 7u);
        return util::concat(found.network_failures, ' ', found.account_failures, found.known ? " known" : "");
    }
    anvil::Logins logins;
};

TEST(failures_are_forgotten_on_request)
{
    Bench bench;
    for (const char* network : {"192.0.2.1", "192.0.2.9", "198.51.100.7", "2001:db8:1:2::/64", "unknown"})
        bench.ended(network, "anna@x", false);
    bench.ended("192.0.2.1", "bert@x", false);
    EQ(bench.logins.forget({.network = "192.0.2.9/32", .account = "", .all = false}), 1u);
    EQ(bench.history("192.0.2.9", "carl@x"), "0 0");
    EQ(bench.history("192.0.2.1", "anna@x"), "2 5");
    // An address in it, or it in a larger one.
    EQ(bench.logins.forget({"2001:db8:1:2::77/128", "", false}), 1u);
    EQ(bench.history("2001:db8:1:2::/64", "carl@x"), "0 0");
    EQ(bench.logins.forget({"192.0.0.0/16", "", false}), 1u);
    EQ(bench.history("192.0.2.1", "carl@x"), "0 0");
    EQ(bench.history("198.51.100.7", "carl@x"), "1 0");
    EQ(bench.logins.forget({"", "anna@x", false}), 1u);
    EQ(bench.logins.forget({"", "anna@x", false}), 0u);
    EQ(bench.history("198.51.100.7", "anna@x"), "1 0");
    EQ(bench.logins.forget({"nonsense", "", false}), 0u);
    EQ(bench.logins.forget({"", "", false}), 0u);
    EQ(bench.logins.forget({"", "", true}), 3u);
    EQ(bench.history("198.51.100.7", "bert@x"), "0 0");
    // What is known of networks stays.
    bench.ended("a", "anna@x", true);
    bench.ended("b", "anna@x", false);
    bench.logins.forget({"", "", true});
    EQ(bench.history("a", "anna@x"), "0 0 known");
}
END_TEST

TEST(failures_count_for_network_and_account)
{
    Bench bench;
    bench.ended("a", "anna", false);
    bench.ended("a", "bert", false);
    bench.ended("b", "anna", false);
    EQ(bench.history("a", "anna"), "2 2");
    EQ(bench.history("b", "bert"), "1 1");
    EQ(bench.history("c", "carl"), "0 0");
    bench.ended("", "anna", false);
    EQ(bench.history("", "anna"), "0 3");
}
END_TEST

TEST(failures_are_forgotten_after_a_time_without)
{
    Bench bench;
    bench.ended("a", "anna", false);
    bench.ended("a", "anna", false, 500s);
    EQ(bench.history("a", "anna", 1100s), "2 2");
    EQ(bench.history("a", "anna", 1101s), "0 0");
    // One now and then is no attack: they are counted over the time, not without end.
    bench.ended("a", "anna", false, 700s);
    EQ(bench.history("a", "anna", 700s), "1 1");
}
END_TEST

TEST(a_success_makes_the_network_known_and_clears_nothing)
{
    Bench bench;
    bench.ended("a", "anna", false);
    bench.ended("a", "anna", true);
    EQ(bench.history("a", "anna"), "1 1 known");
    EQ(bench.history("b", "anna"), "0 1");
    // Mistakes at home bring nobody nearer to the account's block.
    bench.ended("a", "anna", false);
    EQ(bench.history("b", "anna"), "0 1");
    EQ(bench.history("a", "anna", 24h + 1s), "0 0");
}
END_TEST

TEST(both_tables_are_bounded)
{
    Bench bench(10);
    for (int i = 0; i < 100; ++i) {
        bench.ended(util::concat("n", i), util::concat("u", i), false);
        bench.ended(util::concat("n", i), util::concat("u", i), true);
    }
    EQ(bench.logins.size(), 20u);
    THAT(bench.logins.evicted() > 0);
    EQ(bench.history("n99", "u99"), "1 1 known");
    EQ(bench.history("n0", "u0"), "0 0");
    bench.logins.forget_old(noon + 48h);
    EQ(bench.logins.size(), 0u);
}
END_TEST

}  // namespace

SUITE(logins, failures_are_forgotten_on_request, failures_count_for_network_and_account,
      failures_are_forgotten_after_a_time_without, a_success_makes_the_network_known_and_clears_nothing,
      both_tables_are_bounded)
