// The line for the search indexes.
#include "usher/filling_turns.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

using usher::FillingTurns;
constexpr util::Instant later{util::Duration(1000)};

TEST(who_asked_first_has_the_first_turn)
{
    FillingTurns turns(2);
    EQ(turns.next(later), std::nullopt);
    for (pid_t pid : {1, 2, 3, 4, 5})
        THAT(turns.ask(util::concat("user", pid), pid));
    EQ(turns.next(later), "user1");
    EQ(turns.next(later), "user2");
    EQ(turns.next(later), std::nullopt);
    turns.over("user2", 2);
    THAT(turns.ask("user2", 2));   // there is more: behind the others
    EQ(turns.next(later), "user3");
    turns.leave_line("user4");
    turns.over("user1", 1);
    turns.over("user3", 3);
    EQ(turns.next(later), "user5");
    EQ(turns.next(later), "user2");
    EQ(turns.waiting(), 0u);
}
END_TEST

TEST(nobody_asks_twice)
{
    FillingTurns turns(1);
    THAT(turns.ask("user", 1));
    THAT(!turns.ask("user", 1));
    EQ(turns.next(later), "user");
    THAT(!turns.ask("user", 1));
    turns.over("user", 1);
    turns.over("user", 1);   // it has none
    THAT(turns.ask("user", 1));
    EQ(turns.waiting(), 1u);
}
END_TEST

TEST(a_successor_has_no_turn_beside_its_predecessors_and_keeps_nobody_behind_it)
{
    FillingTurns turns(3);
    THAT(turns.ask("user", 1));
    EQ(turns.next(later), "user");
    turns.leave_line("user");
    THAT(turns.ask("user", 2));
    THAT(turns.ask("other", 3));
    EQ(turns.next(later), "other");
    EQ(turns.next(later), std::nullopt);
    turns.over("user", 2);   // that one has none yet
    EQ(turns.next(later), std::nullopt);
    turns.over("user", 1);
    EQ(turns.next(later), "user");
    turns.over("user", 1);   // not any more
    THAT(!turns.ask("user", 2));
}
END_TEST

TEST(a_turn_ends_with_its_time)
{
    FillingTurns turns(2);
    EQ(turns.next_late(), util::Instant::max());
    for (pid_t pid : {1, 2, 3})
        THAT(turns.ask(util::concat("user", pid), pid));
    EQ(turns.next(later), "user1");
    EQ(turns.next(later + util::Duration(1)), "user2");
    THAT(turns.next_late() == later);
    EQ(turns.take_late(later - util::Duration(1)).size(), 0u);
    auto late = turns.take_late(later);
    EQ(late.size(), 1u);
    EQ(late[0].account, "user1");
    EQ(late[0].pid, 1);
    EQ(turns.take_late(later).size(), 0u);   // told once
    THAT(turns.next_late() == later + util::Duration(1));
    THAT(turns.ask("user1", 1));
    EQ(turns.next(later), "user3");
    EQ(turns.next(later), std::nullopt);
}
END_TEST

TEST(the_limit_may_change)
{
    FillingTurns turns(1);
    for (pid_t pid : {1, 2, 3})
        THAT(turns.ask(util::concat("user", pid), pid));
    EQ(turns.next(later), "user1");
    EQ(turns.next(later), std::nullopt);
    turns.set_limit(2);
    EQ(turns.next(later), "user2");
    turns.set_limit(1);
    turns.over("user1", 1);
    EQ(turns.next(later), std::nullopt);
    turns.over("user2", 2);
    EQ(turns.next(later), "user3");
}
END_TEST

}  // namespace

TEST(those_who_are_late_share_one_turn)
{
    FillingTurns turns(3);
    for (pid_t pid : {1, 2, 3}) {
        THAT(turns.ask(util::concat("late", pid), pid));
        THAT(turns.next(later));
    }
    EQ(turns.take_late(later).size(), 3u);
    for (pid_t pid : {1, 2, 3})
        THAT(turns.ask(util::concat("late", pid), pid));
    THAT(turns.ask("user", 4));
    EQ(turns.next(later), "late1");
    EQ(turns.next(later), "user");   // before those who stand before it
    EQ(turns.next(later), std::nullopt);
    turns.over("late1", 1);          // in time
    EQ(turns.next(later), "late2");
    THAT(turns.ask("late1", 1));
    EQ(turns.next(later), "late1");  // as all others
    EQ(turns.next(later), std::nullopt);
    turns.over("late2", 2);
    EQ(turns.next(later), "late3");
}
END_TEST

SUITE(filling_turns, those_who_are_late_share_one_turn, who_asked_first_has_the_first_turn, nobody_asks_twice,
      a_successor_has_no_turn_beside_its_predecessors_and_keeps_nobody_behind_it, a_turn_ends_with_its_time,
      the_limit_may_change)
