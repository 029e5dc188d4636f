// Parked sessions: what keeps them, what wakes them, what ends them.
#include "tests/unit/usher/fake_auth.h"
#include "tests/unit/usher/fixture.h"

#include <fcntl.h>
#include <set>

namespace {

using namespace test;

ipc::SessionFacts imap(std::string session)
{
    ipc::SessionFacts facts;
    facts.service = ipc::Service::Imap;
    facts.session = std::move(session);
    return facts;
}

// A house with one session of an account, which is parked.
class ParkedHouse : public House {
public:
    explicit ParkedHouse(std::string name, usher::Settings settings = with_auth())
        : House(std::move(settings)), auth(*this), door(peer()), account(std::move(name))
    {
        client = session("s1");
    }

    util::UniqueFd session(std::string id)
    {
        auto asking = ask(door, imap(std::move(id)));
        std::size_t before = usher.parked();
        auth.answer(auth.wanted().request, true, account);
        THAT(receive(door.fd()).has_value());
        until([&] { return usher.parked() == before + 1; });
        // Its process has said that it has none.
        until([&] { return !usher.roster().victim(util::Instant::max()).empty(); });
        return asking;
    }

    // What the client hears until so much is there, or the end; "$" stands for that.
    std::string hears(const util::UniqueFd& from, std::size_t size)
    {
        std::string heard;
        until([&] {
            char buffer[100];
            auto count = ::recv(from.get(), buffer, sizeof buffer, MSG_DONTWAIT);
            heard += count > 0 ? std::string(buffer, std::size_t(count)) : count == 0 ? "$" : "";
            return heard.size() >= size || heard.ends_with('$');
        });
        return heard;
    }

    void process_ends()
    {
        ::kill(usher.roster().pid_of(account), SIGKILL);
        until([&] { return usher.roster().size() == 0; });
    }
    void process_ends_of(const std::string& name)
    {
        ::kill(usher.roster().pid_of(name), SIGKILL);
        until([&] { return !usher.roster().serves(name); });
    }

    // How many there were.
    std::uint64_t end(std::string_view of_account, std::string_view id)
    {
        auto tool = peer();
        OK(tool.send(ipc::EndSessions{std::string(of_account), std::string(id)}));
        auto packet = receive(tool.fd());
        auto ending = ipc::decode<ipc::SessionsEnding>(*packet);
        OK(ending);
        return ending->count;
    }

    std::vector<ipc::LiveSession> who()
    {
        auto tool = peer();
        OK(tool.send(ipc::WhoWanted{}));
        auto packet = receive(tool.fd());
        auto answer = ipc::decode<ipc::WhoAnswer>(*packet);
        OK(answer);
        return std::move(answer->sessions);
    }

    FakeAuth auth;
    ipc::Connection door;
    std::string account;
    util::UniqueFd client;
};

TEST(a_parked_session_outlives_its_process_and_wakes_with_its_client)
{
    ParkedHouse house("parks");
    house.process_ends();
    EQ(house.usher.parked(), 1u);
    EQ(house.who().size(), 1u);
    THAT(house.who()[0].parked);
    EQ(house.who()[0].facts.session, "s1");
    say(house.client, "DONE");
    EQ(house.hears(house.client, 11), "state of s1");
    EQ(house.launcher.launched, 2u);
    house.until([&] { return house.usher.parked() == 0; });
    THAT(!house.who()[0].parked);
    // The process has it alone: with it the connection ends.
    house.process_ends();
    EQ(house.hears(house.client, 1), "$");
    EQ(house.who().size(), 0u);
}
END_TEST

TEST(whose_sessions_are_parked_gets_a_process_that_shares_nothing)
{
    ParkedHouse house("parks");
    house.launcher.shares = true;
    house.process_ends();
    auto local = house.peer();
    auto deliveries = house.open(local, "parks");
    EQ(house.launcher.launched, 2u);
    THAT(house.launcher.layouts[1] == usher::Layout::Own);
    say(house.client, "DONE");
    EQ(house.hears(house.client, 11), "state of s1");
    EQ(house.launcher.launched, 2u);
}
END_TEST

TEST(a_client_that_goes_wakes_nobody)
{
    ParkedHouse house("parks");
    house.process_ends();
    house.client.reset();
    house.until([&] { return house.usher.parked() == 0; });
    EQ(house.launcher.launched, 1u);
    EQ(house.who().size(), 0u);
}
END_TEST

TEST(news_wake_those_that_watch_the_mailbox_and_no_others)
{
    for (bool watched : {true, false}) {
        ParkedHouse house(watched ? "parks-7" : "parks-8");
        auto other = house.session("s2");
        auto local = house.peer();
        auto deliveries = house.open(local, house.account);   // and with them it says what is new
        EQ(house.word(deliveries), house.account);
        if (watched) {
            EQ(house.hears(house.client, 11), "state of s1");
            EQ(house.hears(other, 11), "state of s2");
        }
        house.until([&] { return house.usher.parked() == (watched ? 0u : 2u); });
    }
}
END_TEST

TEST(a_parked_session_ends_when_it_is_late_and_when_it_is_told_to)
{
    ParkedHouse late("parks-shortly");
    EQ(late.hears(late.client, 5), "late$");
    EQ(late.usher.parked(), 0u);

    ParkedHouse house("parks");
    house.process_ends();
    EQ(house.end("other", ""), 0u);
    EQ(house.end("", "s1"), 1u);
    EQ(house.hears(house.client, 9), "farewell$");
    EQ(house.who().size(), 0u);
    EQ(house.launcher.launched, 1u);

    ParkedHouse stopping("parks");
    bool done = false;
    stopping.usher.stop([&] { done = true; });
    EQ(stopping.hears(stopping.client, 9), "farewell$");
    stopping.until([&] { return done; });
}
END_TEST

TEST(a_parked_session_is_no_session_of_another_account_of_the_same_name)
{
    for (bool removed : {true, false}) {
        ParkedHouse house("parks");
        house.process_ends();
        if (removed)
            house.removed = "parks";
        else
            house.usual_uid = 100'001;
        say(house.client, "DONE");
        EQ(house.hears(house.client, 9), "farewell$");
        EQ(house.launcher.launched, 1u);
    }
}
END_TEST

TEST(what_is_over_the_limit_stays_with_its_process)
{
    auto settings = with_auth();
    settings.parked_limit = 1;
    ParkedHouse house("parks", settings);
    // The second one: its process is told no, and closes it, since this one does not know better.
    auto second = house.ask(house.door, imap("s2"));
    house.auth.answer(house.auth.wanted().request, true, house.account);
    EQ(house.hears(second, 1), "$");
    EQ(house.usher.parked(), 1u);
}
END_TEST

TEST(a_session_whose_process_does_not_start_is_tried_again)
{
    ParkedHouse house("parks");
    house.process_ends();
    house.launcher.fails = 1;
    say(house.client, "DONE");
    EQ(house.hears(house.client, 11), "state of s1");
    EQ(house.launcher.fails, 0u);
}
END_TEST

TEST(a_crowd_that_wakes_at_once_is_served_in_turns)
{
    auto settings = with_auth();
    settings.process_limit = 2;
    ParkedHouse house("parks-a", settings);
    std::vector<util::UniqueFd> clients;
    for (int i = 0; i < 12; ++i) {
        house.account = util::concat("parks-user", i, "-x");
        clients.push_back(house.session(util::concat("t", i)));
    }
    for (const auto& client : clients)
        say(client, "DONE");
    for (const auto& client : clients)
        EQ(house.hears(client, 10).substr(0, 10), "state of t");
    THAT(house.usher.roster().size() <= 2);
}
END_TEST

// A house in which the process of "test-slow" is started for its parked session, and the test plays it: it says nothing.
class SlowHouse : public ParkedHouse {
public:
    SlowHouse() : ParkedHouse("parks-quick", one_at_a_time())
    {
        slow = open_played();
        ipc::ParkSession order;
        auto given = next<ipc::NewSession>();
        order.session = given.facts.session;
        order.client = std::move(given.client);
        order.state = "state of slow";
        order.farewell = "farewell";
        order.deadline = util::now().time_since_epoch().count() + 60'000'000;
        OK(played().send(ipc::SessionCount{}));
        OK(played().send(ipc::SessionTaken{.order = given.order}));
        OK(played().send(order));
        order.client.reset();
        until([&] { return usher.parked() == 2; });
        ::kill(usher.roster().pid_of("test-slow"), SIGKILL);
        until([&] { return !usher.roster().serves("test-slow"); });
        say(slow, "DONE");
        until([&] { return usher.roster().serves("test-slow"); });
    }

    static usher::Settings one_at_a_time()
    {
        auto settings = with_auth();
        settings.waking_limit = 1;
        return settings;
    }
    ipc::Connection& played() { return launcher.controls["test-slow"]; }
    template <typename Message>
    Message next()
    {
        for (;;) {
            auto packet = receive(played().fd());
            ck_assert(packet.has_value());
            if (packet->name() == Message::message_name)
                return ipc::decode<Message>(*packet).take();
        }
    }

    util::UniqueFd slow;   // its client

private:
    util::UniqueFd open_played()
    {
        auto asking = ask(door, imap("slow"));
        auth.answer(auth.wanted().request, true, "test-slow");
        until([&] { return launcher.controls.contains("test-slow"); });
        return asking;
    }
};

TEST(who_has_a_process_waits_behind_nobody_who_needs_one)
{
    SlowHouse house;
    // Two more without a process; the second gets one for another reason.
    auto parked = [&](std::string account, std::string id) {
        house.account = std::move(account);
        auto client = house.session(std::move(id));
        house.process_ends_of(house.account);
        return client;
    };
    auto waits = parked("parks-waits", "t1");
    auto lucky = parked("parks-lucky", "t2");
    say(waits, "DONE");
    say(lucky, "DONE");
    say(house.client, "DONE");
    EQ(house.hears(house.client, 11), "state of s1");
    THAT(!house.usher.roster().serves("parks-waits") && !house.usher.roster().serves("parks-lucky"));
    auto local = house.peer();
    THAT(house.open(local, "parks-lucky").valid());
    EQ(house.hears(lucky, 11), "state of t2");
    THAT(!house.usher.roster().serves("parks-waits"));
    // The first has its turn when the one before is done with.
    auto resumed = house.next<ipc::NewSession>();
    EQ(resumed.state, "state of slow");
    OK(house.played().send(ipc::SessionTaken{.order = resumed.order}));
    EQ(house.hears(waits, 11), "state of t1");
}
END_TEST

TEST(a_session_that_ends_while_its_process_starts_leaves_its_place)
{
    SlowHouse house;
    house.account = "parks-waits";
    auto waits = house.session("t1");
    house.process_ends_of(house.account);
    say(waits, "DONE");
    house.loop.run_for(std::chrono::milliseconds(20));
    THAT(!house.usher.roster().serves("parks-waits"));
    // Whose process ends with it, for good.
    OK(house.played().send(ipc::SessionCount{}));
    house.next<ipc::NewSession>();
    OK(house.played().send(ipc::SessionEnded{"slow"}));
    EQ(house.hears(waits, 11), "state of t1");
}
END_TEST

// A house in which the process of "test" is played by the test, and has one session, which is parked and watches mailbox 7.
class PlayedHouse : public House {
public:
    PlayedHouse() : House(with_auth()), auth(*this), door(peer()), client(park_another("s1")) {}

    util::UniqueFd park_another(std::string id)
    {
        auto asking = ask(door, imap(id));
        auth.answer(auth.wanted().request, true, "test");
        until([&] { return launcher.controls.contains("test"); });
        auto given = next_session();
        ipc::ParkSession order;
        order.session = id;
        order.client = std::move(given.client);
        order.state = "state of " + id;
        order.watches.push_back({7, 1});
        order.deadline = util::now().time_since_epoch().count() + 60'000'000;
        OK(process().send(ipc::SessionCount{}));
        OK(process().send(ipc::SessionTaken{.order = given.order}));
        OK(process().send(order));
        order.client.reset();
        std::size_t before = usher.parked();
        until([&] { return usher.parked() == before + 1; });
        return asking;
    }

    ipc::Connection& process() { return launcher.controls["test"]; }
    ipc::NewSession next_session()
    {
        for (;;) {
            auto packet = receive(process().fd());
            ck_assert(packet.has_value());
            if (packet->name() == ipc::NewSession::message_name)
                return ipc::decode<ipc::NewSession>(*packet).take();
        }
    }

    FakeAuth auth;
    ipc::Connection door;
    util::UniqueFd client;
};

TEST(news_among_the_last_words_of_a_process_wake_sessions_too)
{
    for (bool dies : {false, true}) {
        PlayedHouse house;
        pid_t pid = house.launcher.pids.back();
        if (!dies)
            OK(house.process().send(ipc::Leaving{.orders_seen = 1}));
        OK(house.process().send(ipc::WakeSessions{.mailboxes = {7}}));
        if (dies) {
            ::kill(pid, SIGKILL);
            siginfo_t ended{};
            EQ(::waitid(P_PID, id_t(pid), &ended, WEXITED | WNOWAIT), 0);
            house.usher.reap();
            EQ(house.launcher.launched, 1u);   // not from here
        }
        house.until([&] { return house.launcher.launched == 2; });
        EQ(house.next_session().state, "state of s1");
    }
}
END_TEST

// Usher finds that in the middle of it, by the session that it gives back.
TEST(sessions_that_the_last_words_of_a_process_wake_go_to_the_next)
{
    for (bool both : {false, true}) {
        PlayedHouse house;
        util::UniqueFd other = both ? house.park_another("s2") : util::UniqueFd();
        OK(house.process().send(ipc::WakeSessions{.mailboxes = {7}}));
        house.process().close();
        house.until([&] { return house.launcher.launched == 2; });
        std::set<std::string> states{house.next_session().state};
        if (both)
            states.insert(house.next_session().state);
        THAT(states.contains("state of s1"));
        EQ(states.contains("state of s2"), both);
        EQ(house.usher.parked(), both ? 2u : 1u);
    }
}
END_TEST

TEST(a_session_that_was_ended_stays_so_when_its_process_never_had_it)
{
    PlayedHouse house;
    ::kill(house.launcher.pids.back(), SIGKILL);
    house.until([&] { return house.usher.roster().size() == 0; });
    say(house.client, "x");
    house.until([&] { return house.launcher.launched == 2; });
    EQ(house.next_session().state, "state of s1");   // by a process that does not get up
    auto tool = house.peer();
    OK(tool.send(ipc::EndSessions{"test", "s1"}));
    auto packet = house.receive(tool.fd());
    EQ(ipc::decode<ipc::SessionsEnding>(*packet)->count, 1u);
    EQ(house.usher.parked(), 1u);
    ::kill(house.launcher.pids.back(), SIGKILL);
    house.until([&] { return house.usher.parked() == 0; });
}
END_TEST

TEST(a_process_that_leaves_with_news_wakes_sessions_by_its_exit)
{
    auto settings = with_auth();
    settings.process_limit = 1;
    ParkedHouse house("parks-late", settings);
    auto local = house.peer();
    THAT(house.open(local, "plain").valid());   // evicts it
    EQ(house.hears(house.client, 11), "state of s1");
    EQ(house.launcher.launched, 3u);
}
END_TEST

TEST(what_no_mailbox_sends_ends_the_process)
{
    ipc::ParkSession order;
    order.state = "x";
    THAT(usher::Parking::objection(order).has_value());
    order.client = util::sys::open("/dev/null", O_RDONLY).take();
    THAT(usher::Parking::objection(order).has_value());
    order.client = std::move(util::sys::socket_pair(SOCK_SEQPACKET)->first);
    THAT(usher::Parking::objection(order).has_value());
    order.client = std::move(util::sys::socket_pair(SOCK_STREAM)->first);
    THAT(!usher::Parking::objection(order).has_value());
    order.state.assign(ipc::max_parked_state, 'x');
    THAT(!usher::Parking::objection(order).has_value());
    order.state += 'x';
    THAT(usher::Parking::objection(order).has_value());
    order.state = "x";
    order.watches.resize(ipc::max_watches);
    THAT(!usher::Parking::objection(order).has_value());
    order.watches.resize(ipc::max_watches + 1);
    THAT(usher::Parking::objection(order).has_value());
}
END_TEST

SUITE(usher_parking, a_session_that_was_ended_stays_so_when_its_process_never_had_it,
      sessions_that_the_last_words_of_a_process_wake_go_to_the_next,
      news_among_the_last_words_of_a_process_wake_sessions_too,
      a_process_that_leaves_with_news_wakes_sessions_by_its_exit,
      a_parked_session_outlives_its_process_and_wakes_with_its_client,
      whose_sessions_are_parked_gets_a_process_that_shares_nothing, a_client_that_goes_wakes_nobody,
      news_wake_those_that_watch_the_mailbox_and_no_others, a_parked_session_ends_when_it_is_late_and_when_it_is_told_to,
      a_parked_session_is_no_session_of_another_account_of_the_same_name, what_is_over_the_limit_stays_with_its_process,
      a_session_whose_process_does_not_start_is_tried_again, a_crowd_that_wakes_at_once_is_served_in_turns,
      who_has_a_process_waits_behind_nobody_who_needs_one, a_session_that_ends_while_its_process_starts_leaves_its_place,
      what_no_mailbox_sends_ends_the_process)

}  // namespace
