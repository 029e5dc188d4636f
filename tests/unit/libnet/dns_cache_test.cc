#include "libnet/dns_cache.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

using namespace net::dns;
using namespace std::chrono_literals;

const util::Instant start{1000s};

Outcome outcome_with(Status status, std::uint32_t ttl, std::size_t text_size = 9)
{
    Outcome outcome;
    outcome.status = status;
    outcome.ttl = ttl;
    outcome.records.push_back({"a", Type::A, ttl, false, {}, std::string(text_size, 'x')});
    return outcome;
}

Question question(std::size_t number)
{
    return {util::concat(number, ".example"), Type::A};
}

TEST(an_answer_is_good_for_its_ttl_and_says_what_is_left)
{
    Cache cache(10'000);
    cache.keep(question(1), outcome_with(Status::Found, 60), start);
    EQ(cache.find(question(1), start)->ttl, 60);
    EQ(cache.find(question(1), start + 59s)->ttl, 1);
    THAT(!cache.find(question(1), start + 60s));
    EQ(cache.size(), 0);
    EQ(cache.bytes(), 0);
}
END_TEST

TEST(name_and_type_make_the_question)
{
    Cache cache(10'000);
    cache.keep({"a", Type::A}, outcome_with(Status::Found, 60), start);
    THAT(cache.find({"a", Type::A}, start).has_value());
    THAT(!cache.find({"a", Type::Aaaa}, start));
    THAT(!cache.find({"b", Type::A}, start));
}
END_TEST

TEST(times_have_caps)
{
    EQ(time_to_keep(outcome_with(Status::Found, 1'000'000)), max_cached_ttl);
    EQ(time_to_keep(outcome_with(Status::NoSuchName, 1'000'000)), max_negative_ttl);
    EQ(time_to_keep(outcome_with(Status::NoData, 5)), 5);
    for (Status status : {Status::TryAgain, Status::Malformed, Status::Bogus})
        EQ(time_to_keep(outcome_with(status, 60)), 0);
}
END_TEST

TEST(failures_and_answers_without_time_are_not_kept)
{
    Cache cache(10'000);
    cache.keep(question(1), outcome_with(Status::Found, 0), start);
    cache.keep(question(2), outcome_with(Status::TryAgain, 60), start);
    EQ(cache.size(), 0);
}
END_TEST

TEST(who_was_asked_for_longest_ago_makes_room)
{
    Cache probe(10'000);
    probe.keep(question(1), outcome_with(Status::Found, 60), start);
    std::size_t one = probe.bytes();
    Cache cache(3 * one);
    for (std::size_t i = 1; i <= 3; ++i)
        cache.keep(question(i), outcome_with(Status::Found, 60), start);
    EQ(cache.size(), 3);
    THAT(cache.find(question(1), start).has_value());
    cache.keep(question(4), outcome_with(Status::Found, 60), start);
    EQ(cache.size(), 3);
    THAT(cache.bytes() <= 3 * one);
    THAT(cache.find(question(1), start).has_value());
    THAT(!cache.find(question(2), start));
    // The same again takes the old one's place.
    cache.keep(question(4), outcome_with(Status::Found, 30), start);
    EQ(cache.size(), 3);
    EQ(cache.find(question(4), start)->ttl, 30);
}
END_TEST

TEST(what_is_larger_than_the_cache_is_not_kept)
{
    Cache cache(5'000), none(0);
    cache.keep(question(1), outcome_with(Status::Found, 60), start);
    cache.keep(question(2), outcome_with(Status::Found, 60, 5'000), start);
    EQ(cache.size(), 1);
    none.keep(question(1), outcome_with(Status::Found, 60), start);
    EQ(none.size(), 0);
    cache.clear();
    EQ(cache.bytes(), 0);
    THAT(!cache.find(question(1), start));
}
END_TEST

}  // namespace

SUITE(dns_cache, an_answer_is_good_for_its_ttl_and_says_what_is_left, name_and_type_make_the_question, times_have_caps,
      failures_and_answers_without_time_are_not_kept, who_was_asked_for_longest_ago_makes_room,
      what_is_larger_than_the_cache_is_not_kept)
