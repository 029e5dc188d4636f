#include "tests/unit/mailbox/fixture.h"

#include <sys/resource.h>

namespace {

using namespace test;

std::size_t messages_in(const std::string& directory)
{
    auto store = open(directory);
    return (*store->mailbox("INBOX"))->entries.size();
}

std::size_t threads_of(pid_t pid)
{
    auto tasks = util::sys::open(util::concat("/proc/", pid, "/task"), O_RDONLY | O_DIRECTORY);
    OK(tasks);
    auto names = util::sys::list_directory(tasks->get());
    OK(names);
    return names->size();
}

TEST(who_waits_for_the_disk_alone_is_kept_by_no_thread)
{
    Directory directory;
    MailboxProcess process(directory.path);
    auto first = process.session();
    for (std::string_view name : {"a", "b", "c"}) {
        say(first.get(), util::concat("make ", name, "\n"));
        EQ(line_of(first.get()), "changed");
        EQ(line_of(first.get()), "made");
    }
    EQ(threads_of(process.pid()), 1U);
    // Another might want something meanwhile.
    auto second = process.session();
    say(second.get(), "count\n");
    EQ(line_of(second.get()), "0");
    for (std::string_view name : {"d", "e"}) {   // the first is done without a thread in any case
        say(first.get(), util::concat("make ", name, "\n"));
        EQ(line_of(first.get()), "changed");
        EQ(line_of(first.get()), "made");
    }
    EQ(threads_of(process.pid()), 2U);
}
END_TEST

// What goes on when a change is durable hands its own next change to the disk, and others hear of it.
TEST(changes_made_one_after_the_other_do_not_wait_for_something_else)
{
    Directory directory;
    MailboxProcess process(directory.path);
    auto first = process.session();
    auto other = process.session();   // with it a thread syncs
    auto twelve = [](std::string_view name) {
        std::string commands;
        for (int i = 0; i < 12; ++i)
            util::append(commands, "make ", name, i, "\n");
        return commands;
    };
    say(first.get(), twelve("a"));
    for (int i = 0; i < 12; ++i) {
        EQ(line_of(first.get()), "changed");
        EQ(line_of(first.get()), "made");
        EQ(line_of(other.get()), "changed");
    }
    other.reset();
    say(first.get(), "count\nquit\n");
    EQ(line_of(first.get()), "0");
    EQ(line_of(first.get()), "");
    auto alone = process.session();
    say(alone.get(), twelve("b"));
    for (int i = 0; i < 12; ++i) {
        EQ(line_of(alone.get()), "changed");
        EQ(line_of(alone.get()), "made");
    }
}
END_TEST

// Whoever found the failure: nobody gets a promise of this process any more.
TEST(a_disk_that_failed_in_a_sync_of_the_expiry_ends_the_process)
{
    Directory directory;
    std::signal(SIGXFSZ, SIG_IGN);
    store::Options options;
    options.default_mailboxes = {};   // so that what is removed is synced by the expiry, and not by a turn before its end
    MailboxProcess process(directory.path, MailboxProcess::quick_settings(), options);
    auto deliverer = process.deliverer();
    OK(deliverer.send(order(1, "Q1", "old mail\r\n")));
    (void)deliverer.receive_as<ipc::DeliveryStored>();
    rlimit nothing{.rlim_cur = 1, .rlim_max = 1};
    ck_assert(::prlimit(process.pid(), RLIMIT_FSIZE, &nothing, nullptr) == 0);
    OK(process.control.send(ipc::ExpireMail{.order = 7, .account = "user@example.org", .rules = {{.mailbox = "INBOX", .seconds = -10}}}));
    for (;;) {
        auto packet = process.control.receive();
        OK(packet);
        if (packet->name() != ipc::MailExpired::message_name)
            continue;
        auto answer = ipc::decode<ipc::MailExpired>(*packet);
        OK(answer);
        EQ(answer->order, 7U);
        ck_assert(!answer->failure.empty());
        break;
    }
    int status = process.wait();
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}
END_TEST

// Where nobody has a session the process syncs at once, and one record says all.
TEST(answers_stored_and_durable)
{
    Directory directory;
    MailboxProcess process(directory.path);
    auto deliverer = process.deliverer();
    for (int round = 0; round < 3; ++round) {
        OK(deliverer.send(order(1, util::concat("Q", round), "Subject: x\r\n\r\n")));
        auto answers = collect(deliverer, 1);
        EQ(answers.duplicates, 0u);
        EQ(answers.told_apart, 0u);
        THAT(answers.durable >= answers.highest);
    }
    // A second order for the same is durable at once.
    OK(deliverer.send(order(9, "Q0", "Subject: x\r\n\r\n")));
    EQ(collect(deliverer, 1).duplicates, 1u);
    process.control.close();
    EQ(process.wait(), 0);
    EQ(messages_in(directory.path), 3u);
}
END_TEST

TEST(takes_many_deliveries_at_once)
{
    Directory directory;
    MailboxProcess process(directory.path);
    auto one = process.deliverer();
    auto other = process.deliverer();
    for (int i = 0; i < 100; ++i) {
        OK(one.send(order(std::uint64_t(i), util::concat("A", i), "x\r\n")));
        OK(other.send(order(std::uint64_t(i), util::concat("B", i), "x\r\n")));
    }
    EQ(collect(one, 100).stored, 100u);
    EQ(collect(other, 100).stored, 100u);
    process.control.close();
    EQ(process.wait(), 0);
    EQ(messages_in(directory.path), 200u);
}
END_TEST

TEST(finishes_what_it_was_sent_when_told_to_leave)
{
    Directory directory;
    MailboxProcess process(directory.path);
    auto deliverer = process.deliverer();
    OK(deliverer.send(order(0, "Q0", "x\r\n")));
    EQ(collect(deliverer, 1).stored, 1u);   // it runs
    ::kill(process.pid(), SIGSTOP);
    for (int i = 1; i <= 20; ++i)
        OK(deliverer.send(order(std::uint64_t(i), util::concat("Q", i), "x\r\n")));
    process.control.close();
    ::kill(process.pid(), SIGCONT);
    EQ(collect(deliverer, 20).stored, 20u);
    THAT(!deliverer.receive().ok());
    EQ(process.wait(), 0);
    EQ(messages_in(directory.path), 21u);
}
END_TEST

TEST(loses_nothing_that_was_durable_when_killed)
{
    Directory directory;
    std::size_t sure = 0;
    for (int life = 0; life < 5; ++life) {
        MailboxProcess process(directory.path);
        auto deliverer = process.deliverer();
        for (int i = 0; i < 20; ++i)
            OK(deliverer.send(order(std::uint64_t(i), util::concat("L", life, "-", i), "x\r\n")));
        collect(deliverer, 10 + std::size_t(life));
        ::kill(process.pid(), SIGKILL);
        (void)process.wait();
        // The successor is sent all of them again.
        MailboxProcess successor(directory.path);
        auto again = successor.deliverer();
        for (int i = 0; i < 20; ++i)
            OK(again.send(order(std::uint64_t(i), util::concat("L", life, "-", i), "x\r\n")));
        EQ(collect(again, 20).stored, 20u);
        sure += 20;
        successor.control.close();
        EQ(successor.wait(), 0);
        EQ(messages_in(directory.path), sure);
    }
}
END_TEST

TEST(drops_a_deliverer_that_sends_garbage_and_no_other)
{
    Directory directory;
    MailboxProcess process(directory.path);
    auto good = process.deliverer();
    for (std::string_view garbage : {std::string_view("x"), std::string_view("deliver\0delivery\0" "9:1", 20),
                                     std::string_view("durable\0lsn\0" "1:1", 15), std::string_view("\0\0\0", 3)}) {
        auto bad = process.deliverer();
        OK(ipc::send_packet(bad.fd(), garbage, {}));
        THAT(!bad.receive().ok());
    }
    OK(good.send(order(1, "Q1", "x\r\n")));
    EQ(collect(good, 1).stored, 1u);
}
END_TEST

TEST(serves_a_session)
{
    Directory directory;
    MailboxProcess process(directory.path);
    auto client = process.session("hello\n", "early\n");
    EQ(line_of(client.get()), "hello");
    EQ(line_of(client.get()), "EARLY");
    say(client.get(), "a\nb\n");
    EQ(line_of(client.get()), "A");
    EQ(line_of(client.get()), "B");
    auto count = process.control.receive_as<ipc::SessionCount>();
    OK(count);
    EQ(count->sessions, 1u);
    say(client.get(), "quit\n");
    EQ(line_of(client.get()), "");
    OK(process.control.receive_as<ipc::SessionEnded>());
    count = process.control.receive_as<ipc::SessionCount>();
    OK(count);
    EQ(count->sessions, 0u);
}
END_TEST

TEST(tells_sessions_of_deliveries)
{
    Directory directory;
    MailboxProcess process(directory.path);
    auto client = process.session("hello\n");
    EQ(line_of(client.get()), "hello");
    auto deliverer = process.deliverer();
    OK(deliverer.send(order(1, "Q1", "x\r\n")));
    EQ(line_of(client.get()), "changed");
    say(client.get(), "count\n");
    EQ(line_of(client.get()), "1");
}
END_TEST

TEST(delivers_while_a_session_works)
{
    Directory directory;
    MailboxProcess process(directory.path);
    auto client = process.session();
    say(client.get(), "work\n");
    auto deliverer = process.deliverer();
    OK(deliverer.send(order(1, "Q1", "x\r\n")));
    EQ(collect(deliverer, 1).stored, 1u);
    std::string line = line_of(client.get());
    if (line == "changed")
        line = line_of(client.get());
    EQ(line, "worked");
}
END_TEST

TEST(holds_back_output_that_nobody_reads)
{
    Directory directory;
    MailboxProcess process(directory.path);
    auto slow = process.session();
    say(slow.get(), "much\nafter\n");
    auto quick = process.session();
    say(quick.get(), "x\n");
    EQ(line_of(quick.get()), "X");
    std::string big = line_of(slow.get());
    EQ(big.size(), (1U << 20) + 5);
    EQ(big.substr(big.size() - 5), "AFTER");
}
END_TEST

TEST(ends_a_session_at_its_deadline_and_when_told)
{
    Directory directory;
    MailboxProcess process(directory.path);
    auto late = process.session();
    say(late.get(), "soon\n");
    EQ(line_of(late.get()), "late");
    EQ(line_of(late.get()), "");
    auto client = process.session();
    say(client.get(), "x\n");
    EQ(line_of(client.get()), "X");
    ::kill(process.pid(), SIGTERM);
    EQ(line_of(client.get()), "bye server shutting down");
    EQ(process.wait(), 0);
}
END_TEST

TEST(turns_away_sessions_over_the_limit_and_unknown_services)
{
    Directory directory;
    auto settings = MailboxProcess::quick_settings();
    settings.session_limit = 2;
    MailboxProcess process(directory.path, settings);
    auto one = process.session("1\n");
    auto two = process.session("2\n");
    auto three = process.session("3 OK\n");
    EQ(line_of(one.get()), "1");
    EQ(line_of(two.get()), "2");
    EQ(line_of(three.get()), "3 NO [LIMIT] Too many sessions of this user\r");
    say(one.get(), "quit\n");
    EQ(line_of(one.get()), "");
    auto sieve = process.session("4\n", "", ipc::Service::Sieve);
    EQ(line_of(sieve.get()), "");
}
END_TEST

TEST(each_guest_has_his_share_of_the_sessions)
{
    Directory directory;
    auto settings = MailboxProcess::quick_settings();
    settings.session_limit = 1;
    settings.guest_limit = 3;
    settings.guest_user_limit = 2;
    MailboxProcess process(directory.path, settings);
    auto session_of = [&](std::string guest) {
        auto pair = util::sys::socket_pair(SOCK_STREAM);
        OK(pair);
        ipc::NewSession session;
        session.client = std::move(pair->first);
        session.greeting = "in\n";
        session.facts.guest = std::move(guest);
        OK(process.control.send(session));
        return std::move(pair->second);
    };
    auto one = session_of("bob");
    auto two = session_of("bob");
    EQ(line_of(one.get()), "in");
    EQ(line_of(two.get()), "in");
    EQ(line_of(session_of("bob").get()), "");
    auto other = session_of("eve");
    EQ(line_of(other.get()), "in");
    EQ(line_of(session_of("eve").get()), "");   // all together
    // Of the owner's own none is taken.
    auto own = session_of("");
    EQ(line_of(own.get()), "in");
    say(one.get(), "quit\n");
    EQ(line_of(one.get()), "");
    auto again = session_of("bob");
    EQ(line_of(again.get()), "in");
}
END_TEST

TEST(tells_the_users_own_sessions_of_his_groups)
{
    Directory directory;
    MailboxProcess process(directory.path);
    auto own = process.session();
    auto pair = util::sys::socket_pair(SOCK_STREAM);
    OK(pair);
    ipc::NewSession order;
    order.client = std::move(pair->first);
    order.facts.guest = "bob";
    OK(process.control.send(order));
    OK(process.control.send(ipc::UserGroups{{"staff", "night"}}));
    EQ(line_of(own.get()), "in 2 groups");
    say(pair->second.get(), "nothing\n");
    EQ(line_of(pair->second.get()), "NOTHING");
}
END_TEST

TEST(ends_the_sessions_that_it_is_told_to_end)
{
    Directory directory;
    auto settings = MailboxProcess::quick_settings();
    settings.idle_time = 50'000;
    MailboxProcess process(directory.path, settings);
    auto one = process.session("1\n");
    auto two = process.session("2\n");
    EQ(line_of(one.get()), "1");
    EQ(line_of(two.get()), "2");
    OK(process.control.send(ipc::EndSessions{"", "of nobody"}));
    say(one.get(), "still\n");
    EQ(line_of(one.get()), "STILL");
    OK(process.control.send(ipc::EndSessions{}));
    EQ(line_of(one.get()), "bye Session ended by the administrator");
    EQ(line_of(two.get()), "bye Session ended by the administrator");
    // Such orders are no work: it leaves as if they had not been.
    for (;;) {
        auto packet = process.control.receive();
        OK(packet);
        if (packet->name() != ipc::Leaving::message_name)
            continue;
        auto leaving = ipc::decode<ipc::Leaving>(*packet);
        if (leaving->orders_seen < 2)
            continue;   // from before the sessions
        EQ(leaving->orders_seen, 2u);
        break;
    }
}
END_TEST

TEST(survives_garbage_of_usher)
{
    Directory directory;
    MailboxProcess process(directory.path);
    OK(ipc::send_packet(process.control.fd(), "garbage", {}));
    OK(ipc::send_packet(process.control.fd(), std::string_view("new-session\0", 12), {}));
    OK(ipc::send_packet(process.control.fd(), std::string_view("new-deliveries\0connection\0" "1:5", 29), {}));
    auto deliverer = process.deliverer();
    OK(deliverer.send(order(1, "Q1", "x\r\n")));
    EQ(collect(deliverer, 1).stored, 1u);
}
END_TEST

TEST(asks_to_leave_when_idle_and_stays_if_usher_needs_it)
{
    Directory directory;
    auto settings = MailboxProcess::quick_settings();
    settings.idle_time = 50'000;
    MailboxProcess process(directory.path, settings);
    auto leaving = process.control.receive_as<ipc::Leaving>();
    OK(leaving);
    EQ(leaving->orders_seen, 0u);
    // An order was on its way: it serves, and asks again later.
    auto deliverer = process.deliverer();
    OK(deliverer.send(order(1, "Q1", "x\r\n")));
    EQ(collect(deliverer, 1).stored, 1u);
    leaving = process.control.receive_as<ipc::Leaving>();
    OK(leaving);
    EQ(leaving->orders_seen, 1u);
    process.control.close();
    EQ(process.wait(), 0);
}
END_TEST

TEST(does_not_leave_while_a_session_is_there)
{
    Directory directory;
    auto settings = MailboxProcess::quick_settings();
    settings.idle_time = 20'000;
    MailboxProcess process(directory.path, settings);
    auto client = process.session("hello\n");
    EQ(line_of(client.get()), "hello");
    // What usher hears first is the count, whatever time passes; a wait for nothing would be a guess,
    // so the session ends after some slices of work.
    auto packet = process.control.receive();
    OK(packet);
    while (packet->name() == ipc::Leaving::message_name)   // before the session came
        packet = process.control.receive();
    EQ(packet->name(), ipc::SessionCount::message_name);
    say(client.get(), "soon\n");
    EQ(line_of(client.get()), "late");
    OK(process.control.receive_as<ipc::SessionEnded>());
    auto count = process.control.receive_as<ipc::SessionCount>();
    OK(count);
    EQ(count->sessions, 0u);
    OK(process.control.receive_as<ipc::Leaving>());
}
END_TEST

// The child's limit: with three it can open nothing, whatever it has; 0 gives back what there was.
void limit_files(pid_t pid, rlim_t files)
{
    rlimit limit{};
    ck_assert(::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit) == 0);
    limit.rlim_cur = files ? files : limit.rlim_max;
    ck_assert(::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr) == 0);
}

TEST(refuses_what_it_has_no_descriptor_for_and_goes_on)
{
    Directory directory;
    MailboxProcess process(directory.path);
    auto deliverer = process.deliverer();
    auto client = process.session("hello\n");
    EQ(line_of(client.get()), "hello");
    EQ(process.control.receive_as<ipc::SessionCount>()->sessions, 1u);
    limit_files(process.pid(), 3);
    // A message with a descriptor, and one without, which needs none.
    auto memory = util::sys::memfd("message");
    OK(memory);
    OK(util::sys::write_all(memory->get(), "Subject: x\r\n\r\n"));
    OK(util::sys::seal(memory->get()));
    auto large = order(1, "Q1", "");
    large.message = memory.take();
    large.size = 14;
    OK(deliverer.send(large));
    auto refused = deliverer.receive_as<ipc::DeliveryRefused>();
    OK(refused);
    EQ(refused->delivery, 1u);
    EQ(refused->permanent, false);
    EQ(refused->dsn, "4.3.0");
    OK(deliverer.send(order(2, "Q2", "x\r\n")));
    EQ(collect(deliverer, 1).stored, 1u);
    EQ(line_of(client.get()), "changed");
    // A session: usher is told, and that there is still the one.
    auto second = process.session("never\n", "", ipc::Service::Imap, 7);
    auto answer = process.control.receive_as<ipc::SessionTaken>();
    OK(answer);
    EQ(answer->order, 7u);
    THAT(answer->refusal.find("RLIMIT_NOFILE") != std::string::npos);
    OK(process.control.receive_as<ipc::SessionEnded>());
    EQ(process.control.receive_as<ipc::SessionCount>()->sessions, 1u);
    EQ(line_of(second.get()), "");
    limit_files(process.pid(), 0);
    OK(deliverer.send(large));
    EQ(collect(deliverer, 1).stored, 1u);
    EQ(line_of(client.get()), "changed");
    auto third = process.session("again\n", "", ipc::Service::Imap, 8);
    answer = process.control.receive_as<ipc::SessionTaken>();
    OK(answer);
    EQ(answer->order, 8u);
    EQ(answer->refusal, "");
    EQ(line_of(third.get()), "again");
}
END_TEST

TEST(fills_the_index_when_usher_gives_it_a_turn)
{
    Directory directory;
    auto settings = MailboxProcess::quick_settings();
    settings.directory = directory.path;
    settings.search_index_delay = 0;
    settings.idle_time = 1;
    MailboxProcess process(directory.path, settings);
    auto deliverer = process.deliverer();
    OK(deliverer.send(order(1, "Q1", "Subject: x\r\n\r\nfirst\r\n")));
    EQ(collect(deliverer, 1).stored, 1u);
    for (;;) {
        auto packet = process.control.receive();
        OK(packet);
        if (packet->name() == ipc::FillingWanted::message_name)
            break;
        EQ(packet->name(), ipc::Leaving::message_name);   // before there was anything to do
    }
    // While it waits it serves, asks no more, and does not leave: what it says next is that it has filled the index.
    OK(deliverer.send(order(2, "Q2", "Subject: x\r\n\r\nsecond\r\n")));
    EQ(collect(deliverer, 1).stored, 1u);
    auto client = process.session();
    say(client.get(), "count\n");
    EQ(line_of(client.get()), "2");
    OK(process.control.receive_as<ipc::SessionCount>());
    say(client.get(), "quit\n");
    EQ(line_of(client.get()), "");
    OK(process.control.receive_as<ipc::SessionEnded>());
    OK(process.control.receive_as<ipc::SessionCount>());
    auto no_index = search::Files::open(directory.path);
    OK(no_index);
    EQ((*no_index->read())->size(), 0u);
    OK(process.control.send(ipc::FillingGranted{}));
    OK(process.control.receive_as<ipc::FillingOver>());
    EQ((*no_index->read())->size(), 2u);
    // Nothing keeps it any more.  The turn was no order.
    auto leaving = process.control.receive_as<ipc::Leaving>();
    OK(leaving);
    EQ(leaving->orders_seen, 2u);
    process.control.close();
    EQ(process.wait(), 0);
}
END_TEST

SUITE(host, fills_the_index_when_usher_gives_it_a_turn, who_waits_for_the_disk_alone_is_kept_by_no_thread,
      changes_made_one_after_the_other_do_not_wait_for_something_else,
      a_disk_that_failed_in_a_sync_of_the_expiry_ends_the_process, tells_the_users_own_sessions_of_his_groups,
      answers_stored_and_durable, takes_many_deliveries_at_once, finishes_what_it_was_sent_when_told_to_leave,
      loses_nothing_that_was_durable_when_killed, drops_a_deliverer_that_sends_garbage_and_no_other, serves_a_session,
      tells_sessions_of_deliveries, delivers_while_a_session_works, holds_back_output_that_nobody_reads,
      ends_a_session_at_its_deadline_and_when_told, ends_the_sessions_that_it_is_told_to_end,
      turns_away_sessions_over_the_limit_and_unknown_services, each_guest_has_his_share_of_the_sessions,
      survives_garbage_of_usher, asks_to_leave_when_idle_and_stays_if_usher_needs_it,
      does_not_leave_while_a_session_is_there, refuses_what_it_has_no_descriptor_for_and_goes_on)

}  // namespace
