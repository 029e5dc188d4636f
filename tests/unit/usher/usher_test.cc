#include "tests/unit/usher/fake_auth.h"
#include "tests/unit/usher/fixture.h"
#include "tests/unit/no_descriptors.h"

namespace {

using namespace test;

TEST(makes_connections_to_one_process_for_each_account)
{
    House house;
    auto local = house.peer();
    auto first = house.open(local, "plain-a");
    auto second = house.open(local, "plain-a");
    auto other = house.open(local, "plain-b");
    EQ(house.word(first), "plain-a");
    EQ(house.word(second), "plain-a");
    EQ(house.word(other), "plain-b");
    EQ(house.launcher.launched, 2u);
}
END_TEST

TEST(refuses_unknown_accounts_and_unreadable_ones_differently)
{
    House house;
    auto local = house.peer();
    THAT(!house.open(local, "nobody").valid());
    EQ(house.failure.permanent, true);
    THAT(!house.open(local, "broken").valid());
    EQ(house.failure.permanent, false);
    EQ(house.launcher.launched, 0u);
}
END_TEST

TEST(refuses_root_and_low_uids)
{
    auto settings = House::own_settings();
    settings.own_uid = false;
    settings.local_uid = ::geteuid();
    settings.imap_uid = settings.pop3_uid = 77'777;
    House house(settings);
    auto local = house.peer();
    THAT(!house.open(local, "root").valid());
    EQ(house.failure.permanent, true);
    THAT(!house.open(local, "low").valid());
    EQ(house.failure.permanent, true);
    THAT(house.open(local, "plain").valid());
}
END_TEST

TEST(an_account_made_anew_has_a_process_of_its_own)
{
    House house;
    auto local = house.peer();
    auto tool = house.peer();
    auto first = house.open(local, "plain");
    EQ(house.word(first), "plain");
    // It is not there any more: what brings it mail is closed, too.
    house.removed = "plain";
    THAT(!house.open(local, "plain").valid());
    THAT(house.failure.permanent);
    OK(tool.send(ipc::EndSessions{"plain", ""}));
    THAT(house.receive(tool.fd()).has_value());
    house.until([&] { return house.usher.roster().size() == 0; });
    // There is one again, and then, while its process lives, another.
    house.removed.clear();
    THAT(house.open(local, "plain").valid());
    EQ(house.launcher.launched, 2u);
    THAT(house.open(local, "plain").valid());
    EQ(house.launcher.launched, 2u);
    house.usual_uid = 100'001;
    THAT(house.open(local, "plain").valid());
    EQ(house.launcher.launched, 3u);
}
END_TEST

TEST(serves_nobody_without_a_role)
{
    auto settings = House::own_settings();
    settings.own_uid = false;
    settings.local_uid = settings.imap_uid = settings.pop3_uid = settings.smtpd_uid = settings.administrator_uid =
        ::geteuid() + 1;
    House house(settings);
    auto stranger = house.peer();
    EQ(house.gone, 1u);
    THAT(!house.receive(stranger.fd()).has_value());
}
END_TEST

TEST(only_the_administrator_hears_who_is_there)
{
    for (bool may : {false, true}) {
        auto settings = House::own_settings();
        settings.own_uid = false;
        settings.local_uid = ::geteuid();
        settings.imap_uid = settings.pop3_uid = 77'777;
        settings.administrator_uid = may ? ::geteuid() : 77'777;
        House house(settings);
        auto local = house.peer();
        ipc::OpenMailbox wanted;
        wanted.account = "plain";
        OK(local.send(wanted));
        THAT(house.receive(local.fd()).has_value());
        auto tool = house.peer();
        OK(tool.send(ipc::WhoWanted{}));
        auto packet = house.receive(tool.fd());
        EQ(packet.has_value(), may);
        if (!may)
            continue;
        auto answer = ipc::decode<ipc::WhoAnswer>(*packet);
        OK(answer);
        THAT(answer->last && answer->sessions.empty());
        EQ(answer->mailboxes.size(), 1u);
        EQ(answer->mailboxes[0].account, "plain");
        EQ(answer->mailboxes[0].pid, house.launcher.pids[0]);
        OK(tool.send(ipc::EndSessions{"plain", ""}));
        packet = house.receive(tool.fd());
        EQ(ipc::decode<ipc::SessionsEnding>(*packet)->count, 0u);
    }
}
END_TEST

TEST(drops_a_peer_that_asks_for_what_is_not_its_own)
{
    auto settings = House::own_settings();
    settings.own_uid = false;
    settings.imap_uid = ::geteuid();
    settings.local_uid = settings.pop3_uid = 77'777;
    House house(settings);
    auto door = house.peer();
    ipc::OpenMailbox wanted;
    wanted.account = "plain";
    OK(door.send(wanted));
    THAT(!house.receive(door.fd()).has_value());
    house.until([&] { return house.gone == 1; });
    // The wrong service for this door: refused, and the door stays.
    auto other = house.peer();
    ipc::OpenSession session;
    session.facts.service = ipc::Service::Pop3;
    OK(other.send(session));
    auto packet = house.receive(other.fd());
    THAT(packet.has_value());
    EQ(packet->name(), ipc::MailboxFailed::message_name);
    EQ(house.launcher.launched, 0u);
}
END_TEST

TEST(drops_a_peer_that_sends_garbage_and_no_other)
{
    House house;
    auto good = house.peer();
    for (std::string_view garbage : {std::string_view("x"), std::string_view("open-mailbox\0account\0" "99:a", 25),
                                     std::string_view("session-opened\0", 15), std::string_view("\0", 1)}) {
        auto bad = house.peer();
        OK(ipc::send_packet(bad.fd(), garbage, {}));
        THAT(!house.receive(bad.fd()).has_value());
    }
    THAT(house.open(good, "plain").valid());
}
END_TEST

TEST(evicts_the_one_longest_without_orders)
{
    auto settings = House::own_settings();
    settings.process_limit = 2;
    House house(settings);
    auto local = house.peer();
    auto a = house.open(local, "plain-a");
    auto b = house.open(local, "plain-b");
    auto a_again = house.open(local, "plain-a");
    auto c = house.open(local, "plain-c");
    EQ(house.word(c), "plain-c");
    EQ(house.word(b), "plain-b");
    EQ(house.word(b), "");   // closed: it left
    THAT(house.usher.roster().serves("plain-a"));
    THAT(!house.usher.roster().serves("plain-b"));
    EQ(house.usher.roster().size(), 2u);
}
END_TEST

TEST(serves_many_more_users_than_there_may_be_processes)
{
    // What waits must not wait for a mailbox to become idle by itself: these never do.
    auto settings = House::own_settings();
    settings.process_limit = 2;
    House house(settings);
    auto local = house.peer();
    constexpr std::uint64_t users = 8;
    for (std::uint64_t i = 0; i < users; ++i) {
        ipc::OpenMailbox wanted;
        wanted.request = i;
        wanted.account = util::concat("plain-", i);
        OK(local.send(wanted));
    }
    for (std::uint64_t i = 0; i < users; ++i) {
        auto packet = house.receive(local.fd());
        THAT(packet.has_value());
        auto opened = ipc::decode<ipc::MailboxOpened>(*packet);
        OK(opened);
        EQ(house.word(opened->connection), util::concat("plain-", opened->request));
        THAT(house.usher.roster().size() <= 2);
    }
}
END_TEST

TEST(refuses_for_now_when_all_have_sessions)
{
    auto settings = House::own_settings();
    settings.process_limit = 1;
    House house(settings);
    auto local = house.peer();
    auto busy = house.open(local, "busy");
    EQ(house.word(busy), "busy");
    // Until its count has come it could be evicted: then it would have been asked to leave.
    house.until([&] { return house.usher.roster().victim(util::Instant::max()).empty(); });
    THAT(!house.open(local, "plain").valid());
    EQ(house.failure.permanent, false);
}
END_TEST

TEST(gives_up_waiting_for_one_that_does_not_leave_and_kills_it_later)
{
    auto settings = House::own_settings();
    settings.process_limit = 1;
    settings.order_timeout = std::chrono::milliseconds(300);
    settings.exit_timeout = std::chrono::seconds(4);
    House house(settings);
    auto local = house.peer();
    auto stubborn = house.open(local, "stubborn");
    EQ(house.word(stubborn), "stubborn");
    THAT(!house.open(local, "plain").valid());
    EQ(house.failure.permanent, false);
    house.until([&] { return house.usher.roster().size() == 0; });
    THAT(house.open(local, "plain").valid());
}
END_TEST

TEST(kills_a_mailbox_that_sends_garbage)
{
    House house;
    auto local = house.peer();
    auto garbage = house.open(local, "garbage");
    auto plain = house.open(local, "plain");
    house.until([&] { return house.usher.roster().size() == 1; });
    EQ(house.word(plain), "plain");
    THAT(house.usher.roster().serves("plain"));
}
END_TEST

TEST(kills_a_mailbox_that_does_not_read_its_orders)
{
    House house;
    auto local = house.peer();
    std::vector<util::UniqueFd> connections;
    pid_t pid = 0;
    for (int i = 0; i < 2000; ++i) {
        connections.push_back(house.open(local, "deaf"));
        if (pid == 0)
            pid = house.usher.roster().pid_of("deaf");
        if (house.usher.roster().pid_of("deaf") != pid)
            break;
    }
    THAT(house.usher.roster().pid_of("deaf") != pid);
    house.until([&] { return ::kill(pid, 0) < 0; });
}
END_TEST

TEST(starts_another_after_one_died)
{
    House house;
    auto local = house.peer();
    auto first = house.open(local, "dies");
    EQ(house.word(first), "");
    house.until([&] { return house.usher.roster().size() == 0; });
    auto second = house.open(local, "dies");
    EQ(house.launcher.launched, 2u);
}
END_TEST

TEST(pauses_after_a_failure)
{
    auto settings = House::own_settings();
    settings.failure_pause = std::chrono::hours(1);
    House house(settings);
    auto local = house.peer();
    auto first = house.open(local, "dies");
    house.until([&] { return house.usher.roster().size() == 0; });
    THAT(!house.open(local, "dies").valid());
    EQ(house.failure.permanent, false);
    EQ(house.launcher.launched, 1u);
}
END_TEST

TEST(one_that_is_not_ready_in_time_is_killed)
{
    auto settings = House::own_settings();
    settings.failure_pause = std::chrono::hours(1);
    House house(settings);
    auto local = house.peer();
    auto ready = house.open(local, "test-ready");
    auto late = house.open(local, "test-late");
    auto& control = house.launcher.controls["test-ready"];
    OK(control.send(ipc::SessionCount{}));
    OK(control.send(ipc::AskSharers{.request = 1}));
    while (house.receive(control.fd())->name() != ipc::Sharers::message_name) {
    }
    settings.start_timeout = std::chrono::milliseconds(1);
    house.usher.change(settings);
    house.until([&] { return house.usher.roster().size() == 1; });
    THAT(house.usher.roster().serves("test-ready"));
    THAT(!house.open(local, "test-late").valid());
    THAT(house.failure.text.find("does not start: it was not ready after 1 s (tried 1 time)") != std::string::npos);
    // One that comes later has its own time.
    late = house.open(local, "deaf");
    THAT(late.valid());
    house.until([&] { return house.usher.roster().size() == 1; });
}
END_TEST

TEST(keeps_orders_waiting_after_one_that_had_been_up_crashed)
{
    auto settings = House::own_settings();
    settings.failure_pause = std::chrono::milliseconds(100);
    House house(settings);
    auto local = house.peer();
    for (unsigned i = 1; i <= 2; ++i) {
        auto crashed = house.open(local, "crashes");
        THAT(crashed.valid());
        EQ(house.word(crashed), "");
        house.until([&] { return house.usher.roster().size() == 0; });
        EQ(house.launcher.launched, i);
    }
}
END_TEST

TEST(lets_other_users_in_while_one_has_to_pause)
{
    auto settings = House::own_settings();
    settings.failure_pause = std::chrono::hours(1);
    House house(settings);
    auto local = house.peer();
    auto first = house.open(local, "dies");
    EQ(house.word(first), "");
    house.until([&] { return house.usher.roster().size() == 0; });  // its end may be noticed after an order
    for (int i = 0; i < 20; ++i)
        THAT(!house.open(local, "dies").valid());
    THAT(house.failure.text.find("does not start (tried 1 time); the next try is in 3600 s") != std::string::npos);
    EQ(house.word(house.open(local, "plain")), "plain");
    EQ(house.launcher.launched, 2u);
}
END_TEST

TEST(pauses_double_up_to_their_limit_and_the_table_is_bounded)
{
    using std::chrono::seconds;
    usher::Failures failures;
    util::Instant now = util::now();
    auto pause = [&](bool was_ready) { return failures.note("a", was_ready, seconds(1), seconds(10), now).until - now; };
    for (int expected : {1, 2, 4, 8, 10, 10})
        EQ(pause(false), util::Duration(seconds(expected)));
    EQ(pause(true), util::Duration(seconds(1)));
    EQ(pause(false), util::Duration(seconds(1)));
    THAT(failures.pausing("a", now) != nullptr);
    THAT(failures.pausing("a", now + seconds(1)) == nullptr);
    failures.forget("a");
    THAT(failures.pausing("a", now) == nullptr);
    for (std::size_t i = 0; i <= usher::max_failures; ++i)
        failures.note(util::concat("user", i), false, seconds(1), seconds(10), now + util::Duration(i));
    EQ(failures.size(), usher::max_failures);
    THAT(failures.pausing("user0", now) == nullptr);
    THAT(failures.pausing(util::concat("user", usher::max_failures), now) != nullptr);
}
END_TEST

TEST(lets_an_idle_mailbox_go_unless_an_order_is_on_its_way)
{
    House house;
    auto local = house.peer();
    auto first = house.open(local, "idle");
    EQ(house.word(first), "idle");   // its first wish to leave crossed the order, the second did not
    house.until([&] { return house.usher.roster().size() == 0; });
    auto second = house.open(local, "idle");
    EQ(house.word(second), "idle");
    EQ(house.launcher.launched, 2u);
}
END_TEST

TEST(ends_all_when_told_to_stop)
{
    auto settings = House::own_settings();
    settings.exit_timeout = std::chrono::milliseconds(300);
    House house(settings);
    auto local = house.peer();
    auto plain = house.open(local, "plain");
    auto stubborn = house.open(local, "stubborn");
    bool done = false;
    house.usher.stop([&] { done = true; });
    house.until([&] { return done; });
    EQ(house.usher.roster().size(), 0u);
    THAT(!house.open(local, "other").valid());
}
END_TEST

util::UniqueFd ask_session(ipc::Connection& door, std::uint64_t request, ipc::Service service = ipc::Service::Imap)
{
    auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
    OK(pair);
    ipc::OpenSession session;
    session.request = request;
    session.ticket = "ticket";
    session.facts.service = service;
    session.client = std::move(pair->first);
    OK(door.send(session));
    return std::move(pair->second);
}

TEST(a_log_in_that_is_under_way_ends_with_the_sessions)
{
    House house(with_auth());
    FakeAuth auth(house);
    auto door = house.peer();
    auto tool = house.peer();
    struct Case {
        const char *account, *app_password;   // whose sessions are ended
        bool opened;                          // those of plain's phone
        bool main_password = false;
    };
    std::size_t before = 0;
    for (const Case& c : {Case{"plain", "phone", false}, Case{"plain", "", false}, Case{"plain", "", true, true},
                          Case{"other", "", true}, Case{"plain", "tablet", true}}) {
        auto client = ask_session(door, 1);
        auto wanted = auth.wanted();
        OK(tool.send(ipc::EndSessions{c.account, "", c.app_password, c.main_password}));
        THAT(house.receive(tool.fd()).has_value());
        auth.answer(wanted.request, true, "plain", "phone");
        if (c.opened) {
            house.until([&] { return house.launcher.launched > before; });
            before = house.launcher.launched;
            break;
        }
        auto packet = house.receive(door.fd());
        auto failed = ipc::decode<ipc::MailboxFailed>(*packet);
        OK(failed);
        EQ(failed->text, "ended by request");
        EQ(house.launcher.launched, 0u);
    }
    EQ(before, 1u);
}
END_TEST

TEST(opens_a_session_for_the_account_that_auth_names)
{
    House house(with_auth());
    FakeAuth auth(house);
    auto door = house.peer();
    auto client = ask_session(door, 5);
    auto redeem = auth.wanted();
    EQ(redeem.ticket, "ticket");
    EQ(redeem.door_uid, ::geteuid());
    auth.answer(redeem.request, true, "plain-user");
    auto packet = house.receive(door.fd());
    THAT(packet.has_value());
    auto opened = ipc::decode<ipc::SessionOpened>(*packet);
    OK(opened);
    EQ(opened->request, 5u);
    EQ(house.word(client), "plain-user");
}
END_TEST

TEST(pop3_log_ins_of_one_user_keep_their_distance)
{
    auto settings = with_auth();
    settings.login_delay = std::chrono::hours(1);
    House house(settings);
    FakeAuth auth(house);
    auto door = house.peer();
    auto log_in = [&](ipc::Service service, std::uint64_t request, const char* account) {
        auto client = ask_session(door, request, service);
        auth.answer(auth.wanted().request, true, account);
        auto packet = house.receive(door.fd());
        THAT(packet.has_value());
        auto failed = ipc::decode<ipc::MailboxFailed>(*packet);
        if (failed.ok())
            THAT(failed->too_soon && !failed->permanent);
        return !failed.ok();
    };
    THAT(log_in(ipc::Service::Pop3, 1, "plain-a"));
    THAT(!log_in(ipc::Service::Pop3, 2, "plain-a"));
    THAT(log_in(ipc::Service::Pop3, 3, "plain-b"));
    THAT(log_in(ipc::Service::Imap, 4, "plain-a"));
    THAT(log_in(ipc::Service::Imap, 5, "plain-a"));
}
END_TEST

TEST(old_mail_of_every_user_goes_by_itself)
{
    auto settings = House::own_settings();
    settings.expiry = {{"Trash", 30}, {"Junk", 60}};
    settings.expire_interval = std::chrono::milliseconds(1);
    settings.process_limit = 1;
    House house(settings);
    house.home = "/";
    house.accounts = {"plain-a", "plain-unused", "dies-b", "refuses-c", "nobody-d", "plain-e"};
    // One at a time: the process of each has left before there is room for the next one.
    house.until([&] { return house.rounds >= 2; });
    THAT(house.launcher.launched >= 4);
    // Who has mail on its way to a process of their own keeps that.
    house.accounts = {"plain-a"};
    auto local = house.peer();
    util::UniqueFd mine;
    house.until([&] { return (mine = house.open(local, "plain-z")).valid(); });
    EQ(house.word(mine), "plain-z");
    int rounds = house.rounds;
    house.loop.run_for(std::chrono::milliseconds(300));
    THAT(house.rounds <= rounds + 1);
    EQ(house.usher.roster().size(), 1U);
}
END_TEST

TEST(without_rules_no_mail_goes_by_itself)
{
    auto settings = House::own_settings();
    settings.expire_interval = std::chrono::milliseconds(1);
    House house(settings);
    house.home = "/";
    house.accounts = {"plain-a"};
    house.loop.run_for(std::chrono::milliseconds(100));
    EQ(house.rounds, 0);
    // But when there are some later.
    settings.expiry = {{"Trash", 30}};
    house.usher.change(settings);
    house.until([&] { return house.launcher.launched == 1; });
}
END_TEST

TEST(tools_of_root_have_old_mail_removed_and_get_sessions)
{
    auto settings = House::own_settings();
    settings.expiry = {{"Trash", 30}, {"Junk", 60}};
    House house(settings);
    auto tool = house.peer();
    OK(tool.send(ipc::ExpireMail{.order = 7, .account = "plain-a"}));
    auto packet = house.receive(tool.fd());
    auto expired = ipc::decode<ipc::MailExpired>(*packet);
    OK(expired);
    EQ(expired->order, 7U);
    EQ(expired->messages, 2U);   // the rules were usher's
    OK(tool.send(ipc::ExpireMail{.order = 8, .account = "nobody"}));
    packet = house.receive(tool.fd());
    OK(ipc::decode<ipc::MailboxFailed>(*packet));
    auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
    OK(pair);
    ipc::OpenUserSession session;
    session.request = 9;
    session.account = "plain-b";
    session.client = std::move(pair->first);
    OK(tool.send(session));
    packet = house.receive(tool.fd());
    OK(ipc::decode<ipc::SessionOpened>(*packet));
    EQ(house.word(pair->second), "plain-b");
}
END_TEST

TEST(refuses_a_session_whose_ticket_is_bad)
{
    House house(with_auth());
    FakeAuth auth(house);
    auto door = house.peer();
    auto client = ask_session(door, 6);
    auto redeem = auth.wanted();
    auth.answer(redeem.request + 100, true, "plain-other");   // to nobody
    auth.answer(redeem.request, false, "plain-user");
    auto packet = house.receive(door.fd());
    THAT(packet.has_value());
    auto failed = ipc::decode<ipc::MailboxFailed>(*packet);
    OK(failed);
    EQ(failed->request, 6u);
    EQ(failed->permanent, true);
    EQ(house.launcher.launched, 0u);
    THAT(!house.receive(client.get()).has_value());
}
END_TEST

TEST(refuses_sessions_for_now_while_auth_is_away)
{
    House house(with_auth());
    auto door = house.peer();
    auto client = ask_session(door, 7);
    auto packet = house.receive(door.fd());
    THAT(packet.has_value());
    EQ(ipc::decode<ipc::MailboxFailed>(*packet)->permanent, false);
    // It goes away in the middle; and comes back.
    FakeAuth auth(house);
    auto second = ask_session(door, 8);
    auth.wanted();
    auth.connection.close();
    packet = house.receive(door.fd());
    THAT(packet.has_value());
    EQ(ipc::decode<ipc::MailboxFailed>(*packet)->permanent, false);
    auto third = ask_session(door, 9);
    auth.answer(auth.wanted().request, true, "plain");
    EQ(house.word(third), "plain");
}
END_TEST

TEST(gives_up_on_a_slow_auth)
{
    auto settings = with_auth();
    settings.order_timeout = std::chrono::milliseconds(1);
    House house(settings);
    FakeAuth auth(house);
    auto door = house.peer();
    auto client = ask_session(door, 7);
    auto redeem = auth.wanted();
    auto packet = house.receive(door.fd());
    THAT(packet.has_value());
    EQ(ipc::decode<ipc::MailboxFailed>(*packet)->permanent, false);
    auth.answer(redeem.request, true, "plain");   // too late: nothing happens
    THAT(!house.receive(client.get()).has_value());
    EQ(house.launcher.launched, 0u);
}
END_TEST

TEST(refuses_a_session_whose_client_did_not_fit_and_opens_the_next)
{
    House house(with_auth());
    FakeAuth auth(house);
    auto door = house.peer();
    auto client = ask_session(door, 5);
    {
        NoDescriptors shortage;
        auto packet = house.receive(door.fd());
        THAT(packet.has_value());
        auto failed = ipc::decode<ipc::MailboxFailed>(*packet);
        OK(failed);
        EQ(failed->request, 5u);
        EQ(failed->permanent, false);
        THAT(failed->text.find("RLIMIT_NOFILE") != std::string::npos);
    }
    THAT(!house.receive(client.get()).has_value());
    auto second = ask_session(door, 6);
    auth.answer(auth.wanted().request, true, "plain-user");
    EQ(house.word(second), "plain-user");
}
END_TEST

// The answer to a session that is ordered for this account.
ipc::MailboxFailed failure_of_session(std::string account)
{
    House house(with_auth());
    FakeAuth auth(house);
    auto door = house.peer();
    auto client = ask_session(door, 5);
    auth.answer(auth.wanted().request, true, std::move(account));
    auto packet = house.receive(door.fd());
    ck_assert(packet.has_value());
    auto failed = ipc::decode<ipc::MailboxFailed>(*packet);
    OK(failed);
    EQ(failed->request, 5u);
    return failed.take();
}

TEST(a_session_is_open_when_the_mailbox_has_taken_it)
{
    auto failed = failure_of_session("refuses");
    EQ(failed.permanent, false);
    EQ(failed.text, "the user's mailbox process: no room");
    failed = failure_of_session("dies");
    EQ(failed.permanent, false);
    EQ(failed.text, "the user's mailbox process does not start");
    // Of one that was up nobody knows what it has said to the client.
    House house(with_auth());
    FakeAuth auth(house);
    auto door = house.peer();
    auto client = ask_session(door, 7);
    auth.answer(auth.wanted().request, true, "crashes");
    auto packet = house.receive(door.fd());
    THAT(packet.has_value());
    EQ(packet->name(), ipc::SessionOpened::message_name);
}
END_TEST

TEST(a_session_never_gets_a_process_that_shares_its_layout)
{
    House house(with_auth());
    house.launcher.shares = true;
    FakeAuth auth(house);
    auto local = house.peer();
    auto first = house.open(local, "plain-user");
    EQ(house.word(first), "plain-user");
    auto again = house.open(local, "plain-user");   // deliveries go on in it
    EQ(house.launcher.launched, 1u);
    THAT(house.launcher.layouts[0] == usher::Layout::Any);
    auto door = house.peer();
    auto client = ask_session(door, 1);
    auth.answer(auth.wanted().request, true, "plain-user");
    THAT(house.receive(door.fd()).has_value());
    EQ(house.launcher.launched, 2u);
    THAT(house.launcher.layouts[1] == usher::Layout::Own);
    house.until([&] { return house.usher.roster().size() == 1; });   // the first has been told to leave
    EQ(house.usher.roster().pid_of("plain-user"), house.launcher.pids[1]);
    // The next session and deliveries stay with it.
    auto second = ask_session(door, 2);
    auth.answer(auth.wanted().request, true, "plain-user");
    THAT(house.receive(door.fd()).has_value());
    auto third = house.open(local, "plain-user");
    EQ(house.word(third), "plain-user");
    EQ(house.launcher.launched, 2u);
}
END_TEST

SUITE(usher, one_that_is_not_ready_in_time_is_killed, a_session_never_gets_a_process_that_shares_its_layout,
      makes_connections_to_one_process_for_each_account, refuses_unknown_accounts_and_unreadable_ones_differently,
      refuses_root_and_low_uids, an_account_made_anew_has_a_process_of_its_own, serves_nobody_without_a_role,
      only_the_administrator_hears_who_is_there, drops_a_peer_that_asks_for_what_is_not_its_own,
      drops_a_peer_that_sends_garbage_and_no_other, evicts_the_one_longest_without_orders,
      serves_many_more_users_than_there_may_be_processes, refuses_for_now_when_all_have_sessions,
      gives_up_waiting_for_one_that_does_not_leave_and_kills_it_later, kills_a_mailbox_that_sends_garbage,
      kills_a_mailbox_that_does_not_read_its_orders, starts_another_after_one_died, pauses_after_a_failure,
      keeps_orders_waiting_after_one_that_had_been_up_crashed, lets_other_users_in_while_one_has_to_pause,
      pauses_double_up_to_their_limit_and_the_table_is_bounded, lets_an_idle_mailbox_go_unless_an_order_is_on_its_way,
      ends_all_when_told_to_stop, a_log_in_that_is_under_way_ends_with_the_sessions,
      opens_a_session_for_the_account_that_auth_names, pop3_log_ins_of_one_user_keep_their_distance,
      old_mail_of_every_user_goes_by_itself, without_rules_no_mail_goes_by_itself,
      tools_of_root_have_old_mail_removed_and_get_sessions, refuses_a_session_whose_ticket_is_bad,
      refuses_sessions_for_now_while_auth_is_away, gives_up_on_a_slow_auth,
      refuses_a_session_whose_client_did_not_fit_and_opens_the_next, a_session_is_open_when_the_mailbox_has_taken_it)

}  // namespace
