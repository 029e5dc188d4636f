// The time between two log-ins.
#include "usher/log_ins.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

constexpr util::Duration minute{60'000'000};

}  // namespace

TEST(the_next_log_in_waits_until_the_delay_has_passed)
{
    usher::LogIns log_ins;
    util::Instant now{};
    THAT(log_ins.admit("anna", minute, now));
    THAT(!log_ins.admit("anna", minute, now));
    THAT(log_ins.admit("bert", minute, now));
    THAT(!log_ins.admit("anna", minute, now + minute - util::Duration(1)));
    // What was refused did not begin the time anew.
    THAT(log_ins.admit("anna", minute, now + minute));
    EQ(log_ins.size(), 1U);
}
END_TEST

TEST(without_a_delay_nothing_is_remembered)
{
    usher::LogIns log_ins;
    util::Instant now{};
    THAT(log_ins.admit("anna", minute, now));
    THAT(log_ins.admit("anna", util::Duration::zero(), now));
    EQ(log_ins.size(), 0U);
}
END_TEST

TEST(the_oldest_is_forgotten_when_there_are_too_many)
{
    usher::LogIns log_ins;
    util::Instant now{};
    for (std::size_t i = 0; i < usher::max_log_ins; ++i)
        THAT(log_ins.admit(util::concat("user", i), minute, now));
    THAT(!log_ins.admit("user0", minute, now));
    THAT(log_ins.admit("one more", minute, now));
    EQ(log_ins.size(), usher::max_log_ins);
    THAT(log_ins.admit("user0", minute, now));
    THAT(!log_ins.admit("user2", minute, now));
}
END_TEST

SUITE(log_ins, the_next_log_in_waits_until_the_delay_has_passed, without_a_delay_nothing_is_remembered,
      the_oldest_is_forgotten_when_there_are_too_many)
