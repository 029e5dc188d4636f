// Sessions that are parked, or give their connections back.
#include "tests/unit/mailbox/fixture.h"

namespace {

using namespace test;

ipc::MailboxSettings parking_settings()
{
    auto settings = MailboxProcess::quick_settings();
    settings.park_delay = 1000;
    return settings;
}

// What usher hears next, leaving out what it hears anyway.
template <typename Message>
Message next(MailboxProcess& process)
{
    for (;;) {
        auto packet = process.control.receive();
        OK(packet);
        if (packet->name() == ipc::SessionCount::message_name || packet->name() == ipc::SessionTaken::message_name)
            continue;
        EQ(packet->name(), Message::message_name);
        auto message = ipc::decode<Message>(*packet);
        OK(message);
        return message.take();
    }
}

TEST(parks_a_session_that_waits_and_goes_on_with_it_later)
{
    Directory directory;
    MailboxProcess process(directory.path, parking_settings());
    auto client = process.session();
    say(client.get(), "wait x1\n");
    auto parked = next<ipc::ParkSession>(process);
    EQ(parked.session, "s1");
    EQ(parked.state, "x1");
    EQ(parked.farewell, "bye\n");
    EQ(parked.watches.size(), 1u);
    // What the client says meanwhile is not read by anybody.
    say(client.get(), "remember\nquit\n");
    OK(process.control.send(ipc::SessionParked{"s1", true}));
    auto deliverer = process.deliverer();
    OK(deliverer.send(order(1, "Q1", "x\r\n")));
    auto woken = next<ipc::WakeSessions>(process);
    EQ(woken.mailboxes.size(), 1u);
    EQ(woken.mailboxes[0], parked.watches[0].mailbox);
    OK(deliverer.send(order(2, "Q2", "x\r\n")));   // said once: usher wakes all of them
    EQ(collect(deliverer, 2).stored, 2u);
    ipc::NewSession again;
    again.facts.service = ipc::Service::Imap;
    again.facts.session = "s1";
    again.client = std::move(parked.client);
    again.state = parked.state;
    again.started = parked.started;
    OK(process.control.send(again));
    again.client.reset();
    EQ(line_of(client.get()), "caught up");
    EQ(line_of(client.get()), "x1");
    EQ(line_of(client.get()), "");   // nobody else holds the connection
    EQ(next<ipc::SessionEnded>(process).session, "s1");
}
END_TEST

// What was on its way to it when it was told to leave: usher does not listen any more, and hears of it by its exit.
TEST(news_that_come_as_it_leaves_are_told_by_its_exit)
{
    for (bool watched : {true, false}) {
        for (bool signalled : {false, true}) {
            Directory directory;
            MailboxProcess process(directory.path, parking_settings());
            auto deliverer = process.deliverer();
            OK(deliverer.send(order(1, "Q1", "x\r\n")));
            EQ(collect(deliverer, 1).stored, 1u);
            auto client = process.session();
            if (watched) {
                say(client.get(), "wait x1\n");
                next<ipc::ParkSession>(process);
                OK(process.control.send(ipc::SessionParked{"s1", true}));
                EQ(line_of(client.get()), "");
            }
            ::kill(process.pid(), SIGSTOP);
            OK(deliverer.send(order(2, "Q2", "x\r\n")));
            if (signalled)
                ::kill(process.pid(), SIGTERM);
            else
                process.control.close();
            ::kill(process.pid(), SIGCONT);
            EQ(collect(deliverer, 1).stored, 1u);
            int status = process.wait();
            bool told = false;
            while (signalled && watched && !told) {
                auto packet = process.control.receive();
                if (!packet.ok())
                    break;
                told = packet->name() == ipc::WakeSessions::message_name;
            }
            THAT(WIFEXITED(status));
            EQ(WEXITSTATUS(status), watched && !told ? ipc::untold_news_status : 0);
        }
    }
}
END_TEST

TEST(keeps_a_session_that_usher_does_not_take)
{
    Directory directory;
    MailboxProcess process(directory.path, parking_settings());
    auto client = process.session();
    say(client.get(), "wait x1\n");
    next<ipc::ParkSession>(process).client.reset();
    OK(process.control.send(ipc::SessionParked{"another", true}));
    OK(process.control.send(ipc::SessionParked{"s1", false}));
    EQ(line_of(client.get()), "caught up");
    // Nobody asked; before the client says something, after which it might be parked again.
    OK(process.control.send(ipc::SessionParked{"s1", true}));
    say(client.get(), "remember\n");
    EQ(line_of(client.get()), "x1");
}
END_TEST

TEST(what_happened_before_its_start_wakes_sessions_too)
{
    Directory directory;
    std::uint64_t inbox = 0, position = 0, id_of_drafts = 0;
    {
        auto store = open(directory.path);
        id_of_drafts = id_of(*store, "Drafts");
        inbox = id_of(*store, "INBOX");
        position = test::mailbox(*store, "INBOX").highest_modseq;
        add(*store, "INBOX", "new");
        OK(store->sync());
    }
    MailboxProcess process(directory.path, parking_settings());
    ipc::WatchMailboxes watches;
    watches.watches.push_back({inbox, position});
    watches.watches.push_back({id_of_drafts, UINT64_MAX >> 1});   // nothing new there
    watches.watches.push_back({inbox + 1000, 1});         // there is none
    watches.watches.push_back({0, 12345});                // another list
    OK(process.control.send(watches));
    auto woken = next<ipc::WakeSessions>(process);
    EQ(woken.mailboxes.size(), 3u);
    EQ(woken.mailboxes[0], inbox);
    EQ(woken.mailboxes[1], inbox + 1000);
    EQ(woken.mailboxes[2], 0u);
}
END_TEST

TEST(parked_sessions_count_among_those_of_the_user)
{
    Directory directory;
    auto settings = MailboxProcess::quick_settings();
    settings.session_limit = 2;
    MailboxProcess process(directory.path, settings);
    for (std::uint32_t parked : {1u, 2u}) {
        auto pair = util::sys::socket_pair(SOCK_STREAM);
        OK(pair);
        ipc::NewSession session;
        session.client = std::move(pair->first);
        session.greeting = "1 OK\n";
        session.parked = parked;
        OK(process.control.send(session));
        session.client.reset();
        EQ(line_of(pair->second.get()), parked == 1 ? "1 OK" : "1 NO [LIMIT] Too many sessions of this user\r");
    }
}
END_TEST

TEST(a_session_that_leaves_gives_its_connection_back)
{
    Directory directory;
    MailboxProcess process(directory.path);
    auto client = process.session();
    OK(process.control.receive_as<ipc::SessionCount>());
    say(client.get(), "leave\nmore\nand m");
    EQ(line_of(client.get()), "left");
    auto returned = process.control.receive_as<ipc::ReturnSession>();
    OK(returned);
    EQ(returned->session, "s1");
    EQ(returned->pending, "more\nand m");
    EQ(returned->farewell, "farewell\n");
    // It is the same connection, and the process has not kept it.
    say(client.get(), "ore\n");
    EQ(line_of(returned->client.get()), "ore");
    returned->client.reset();
    EQ(line_of(client.get()), "");
    auto count = process.control.receive_as<ipc::SessionCount>();   // and nothing of an end before it
    OK(count);
    EQ(count->sessions, 0u);

    // Whose client has gone has nothing to give back.
    auto gone = process.session();
    OK(process.control.receive_as<ipc::SessionCount>());
    say(gone.get(), "leave\n");
    gone.reset();
    auto packet = process.control.receive();
    OK(packet);
    THAT(packet->name() == ipc::SessionEnded::message_name || packet->name() == ipc::ReturnSession::message_name);
}
END_TEST

TEST(a_session_that_leaves_while_the_process_ends_hears_that_its_connection_cannot_go_on)
{
    Directory directory;
    MailboxProcess process(directory.path);
    auto deliverer = process.deliverer();
    auto client = process.session();
    say(client.get(), "much\nleave\n");
    char first = 0;
    EQ(::recv(client.get(), &first, 1, 0), 1);   // so both lines are read, and not all is said
    process.control.close();
    THAT(!deliverer.receive().ok());             // it knows that it is to end
    std::string much((1U << 20) - 1, '\0');
    EQ(::recv(client.get(), much.data(), much.size(), MSG_WAITALL), ssize_t(much.size()));
    EQ(line_of(client.get()), "left");
    EQ(line_of(client.get()), "farewell");
    EQ(line_of(client.get()), "");
    EQ(process.wait(), 0);
}
END_TEST

TEST(a_session_that_leaves_when_usher_hears_nothing_more_is_told_so)
{
    Directory directory;
    MailboxProcess process(directory.path);
    auto client = process.session();
    EQ(::shutdown(process.control.fd(), SHUT_RD), 0);   // as usher does before it closes
    say(client.get(), "leave\n");
    EQ(line_of(client.get()), "left");
    EQ(line_of(client.get()), "farewell");
    EQ(line_of(client.get()), "");
    EQ(process.wait(), 0);
}
END_TEST

TEST(a_session_that_leaves_while_usher_does_not_read_is_told_so_when_usher_goes)
{
    for (bool signalled : {false, true}) {
        Directory directory;
        MailboxProcess process(directory.path, MailboxProcess::quick_settings(), {}, 16 << 10);
        auto client = process.session();
        for (std::uint64_t i = 1; i <= 100; ++i)   // each is refused
            process.session({}, {}, ipc::Service::Pop3, i);
        say(client.get(), "shout\n");
        EQ(line_of(client.get()), "SHOUT");
        say(client.get(), "leave\n");
        EQ(line_of(client.get()), "left");
        if (signalled)
            ::kill(process.pid(), SIGTERM);
        else
            process.control.close();
        EQ(line_of(client.get()), "farewell");
        EQ(line_of(client.get()), "");
        EQ(process.wait(), 0);
    }
}
END_TEST

SUITE(hand_over, parks_a_session_that_waits_and_goes_on_with_it_later, news_that_come_as_it_leaves_are_told_by_its_exit,
      keeps_a_session_that_usher_does_not_take, what_happened_before_its_start_wakes_sessions_too,
      parked_sessions_count_among_those_of_the_user, a_session_that_leaves_gives_its_connection_back,
      a_session_that_leaves_while_the_process_ends_hears_that_its_connection_cannot_go_on,
      a_session_that_leaves_when_usher_hears_nothing_more_is_told_so,
      a_session_that_leaves_while_usher_does_not_read_is_told_so_when_usher_goes)

}  // namespace
