// Turns to fill search indexes, for mailboxes of all kinds.
#include "tests/unit/usher/fixture.h"

namespace {

using namespace test;

usher::Settings with_turns(std::size_t limit, util::Duration time = std::chrono::seconds(600))
{
    auto settings = House::own_settings();
    settings.filling_limit = limit;
    settings.filling_time = time;
    settings.exit_timeout = std::chrono::seconds(600);
    return settings;
}

struct Fillers : Neighbours {
    using Neighbours::Neighbours;

    // How many turns it has been given, now that usher has seen all that it has said.
    std::size_t turns(const std::string& account)
    {
        auto& control = launcher.controls[account];
        OK(control.send(ipc::AskSharers{.request = 1}));
        for (std::size_t count = 0;;) {
            auto packet = receive(control.fd());
            ck_assert(packet.has_value());
            if (packet->name() == ipc::Sharers::message_name)
                return count;
            count += packet->name() == ipc::FillingGranted::message_name;
        }
    }
    std::size_t ask(const std::string& account)
    {
        OK(launcher.controls[account].send(ipc::FillingWanted{}));
        return turns(account);
    }
    std::size_t give_back(const std::string& account)
    {
        OK(launcher.controls[account].send(ipc::FillingOver{}));
        return turns(account);
    }
    void wait_for_turn(const std::string& account) { next<ipc::FillingGranted>(launcher.controls[account]); }
    void wait_until_away(const std::string& account)
    {
        until([&] { return !usher.roster().serves(account); });
    }
};

TEST(few_fill_at_a_time_and_each_has_its_turn)
{
    Fillers house(with_turns(2));
    for (auto account : {"test-a", "test-b", "test-c", "test-d"})
        house.play(account);
    EQ(house.ask("test-a"), 1u);
    EQ(house.ask("test-b"), 1u);
    EQ(house.ask("test-c"), 0u);
    EQ(house.ask("test-d"), 0u);
    // There is more to be done: after the others.
    EQ(house.give_back("test-b"), 0u);
    EQ(house.turns("test-c"), 1u);
    EQ(house.ask("test-b"), 0u);
    EQ(house.give_back("test-a"), 0u);
    EQ(house.turns("test-d"), 1u);
    EQ(house.turns("test-b"), 0u);
    EQ(house.give_back("test-d"), 0u);
    EQ(house.turns("test-b"), 1u);
    EQ(house.turns("test-a"), 0u);
}
END_TEST

TEST(who_dies_or_leaves_has_no_turn_any_more)
{
    Fillers house(with_turns(1));
    std::map<std::string, pid_t> pids;
    for (auto account : {"test-a", "test-b", "test-c", "test-d"}) {
        house.play(account);
        pids[account] = house.usher.roster().pid_of(account);
    }
    EQ(house.ask("test-a"), 1u);
    for (auto account : {"test-b", "test-c", "test-d"})
        EQ(house.ask(account), 0u);
    ::kill(pids["test-b"], SIGKILL);   // one that waits
    house.wait_until_away("test-b");
    EQ(house.turns("test-c"), 0u);
    ::kill(pids["test-a"], SIGKILL);   // and the one that was filling
    house.wait_for_turn("test-c");
    // What leaves may be filling until it has gone.
    OK(house.launcher.controls["test-c"].send(ipc::Leaving{.orders_seen = 1}));
    house.wait_until_away("test-c");
    EQ(house.turns("test-d"), 0u);
    // Its successor waits for that, too, and nobody waits for it.
    house.launcher.controls.erase("test-c");
    house.play("test-c");
    EQ(house.ask("test-c"), 0u);
    ::kill(pids["test-c"], SIGKILL);
    house.wait_for_turn("test-d");
    EQ(house.turns("test-c"), 0u);
    EQ(house.give_back("test-d"), 0u);
    EQ(house.turns("test-c"), 1u);
}
END_TEST

TEST(who_asks_twice_is_ended_and_others_have_their_turns)
{
    Fillers house(with_turns(1));
    for (auto account : {"test-a", "test-b", "test-c"})
        house.play(account);
    EQ(house.give_back("test-a"), 0u);   // what it never had
    EQ(house.ask("test-a"), 1u);
    EQ(house.ask("test-b"), 0u);
    EQ(house.ask("test-c"), 0u);
    OK(house.launcher.controls["test-b"].send(ipc::FillingWanted{}));   // while it waits
    house.wait_until_away("test-b");
    OK(house.launcher.controls["test-a"].send(ipc::FillingWanted{}));   // and while it has one
    house.wait_until_away("test-a");
    house.wait_for_turn("test-c");
}
END_TEST

TEST(who_keeps_a_turn_keeps_it_for_a_time_only)
{
    Fillers house(with_turns(1, std::chrono::milliseconds(20)));
    for (auto account : {"test-a", "test-b", "test-c"})
        house.play(account);
    EQ(house.ask("test-a"), 1u);
    house.usher.change(with_turns(1));   // the others may keep theirs for long
    OK(house.launcher.controls["test-b"].send(ipc::FillingWanted{}));
    house.wait_for_turn("test-b");
    EQ(house.ask("test-c"), 0u);
    // It is none of its own any more that it gives back, and it may ask again, behind the others.
    EQ(house.give_back("test-a"), 0u);
    EQ(house.turns("test-c"), 0u);
    EQ(house.ask("test-a"), 0u);
    EQ(house.give_back("test-b"), 0u);
    EQ(house.turns("test-c"), 1u);
    EQ(house.turns("test-a"), 0u);
    EQ(house.give_back("test-c"), 0u);
    EQ(house.turns("test-a"), 1u);
}
END_TEST

TEST(a_new_limit_counts_at_once)
{
    Fillers house(with_turns(1));
    for (auto account : {"test-a", "test-b", "test-c"})
        house.play(account);
    EQ(house.ask("test-a"), 1u);
    EQ(house.ask("test-b"), 0u);
    EQ(house.ask("test-c"), 0u);
    house.usher.change(with_turns(2));
    EQ(house.turns("test-b"), 1u);
    EQ(house.turns("test-c"), 0u);
}
END_TEST

TEST(room_is_not_made_by_the_one_whose_turn_has_just_come)
{
    auto settings = with_turns(1);
    settings.process_limit = 2;
    Fillers house(settings);
    house.play("test-a");
    house.play("test-b");
    EQ(house.ask("test-a"), 1u);
    ipc::OpenMailbox wanted;
    wanted.account = "plain-c";
    OK(house.local.send(wanted));
    house.wait_until_away("test-b");
    THAT(house.usher.roster().serves("test-a"));
}
END_TEST

}  // namespace

SUITE(fillings, few_fill_at_a_time_and_each_has_its_turn, who_dies_or_leaves_has_no_turn_any_more,
      who_asks_twice_is_ended_and_others_have_their_turns, who_keeps_a_turn_keeps_it_for_a_time_only,
      a_new_limit_counts_at_once, room_is_not_made_by_the_one_whose_turn_has_just_come)
