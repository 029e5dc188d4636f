// Sessions that are over while their connections go on: what a mailbox process can give back, and to whom.
#include "tests/unit/usher/fake_auth.h"
#include "tests/unit/usher/fixture.h"

#include <fcntl.h>
#include <sys/socket.h>

namespace {

using namespace test;

// A house with a session of "test", whose mailbox process is played by the test.
class ReturningHouse : public House {
public:
    explicit ReturningHouse(bool tls = false, bool returnable = true, bool small_buffers = false)
        : House(with_auth()), auth(*this), door(peer())
    {
        launcher.small_buffers = small_buffers;
        client = ask("s1", tls, returnable);
        auth.answer(auth.wanted().request, true, "test");
        until([&] { return launcher.controls.contains("test"); });
        OK(control().send(ipc::SessionCount{}));
        auto packet = receive(control().fd());
        auto session = ipc::decode<ipc::NewSession>(*packet);
        OK(session);
        order = session->order;
        given = std::move(session->client);
    }

    // A door wants a session: its client.
    util::UniqueFd ask(std::string session, bool tls = false, bool returnable = true)
    {
        ipc::SessionFacts facts;
        facts.session = std::move(session);
        facts.client_address = "192.0.2.1";
        facts.tls = tls;
        facts.returnable = returnable;
        return House::ask(door, std::move(facts));
    }

    ipc::Connection& control() { return launcher.controls["test"]; }

    void take()
    {
        OK(control().send(ipc::SessionTaken{.order = order, .refusal = {}}));
        auto packet = receive(door.fd());
        OK(ipc::decode<ipc::SessionOpened>(*packet));
    }
    void give_back(util::UniqueFd connection, std::string pending = {}, std::string session = "s1")
    {
        ipc::ReturnSession returned;
        returned.session = std::move(session);
        returned.client = std::move(connection);
        returned.pending = std::move(pending);
        returned.farewell = "farewell";
        OK(control().send(returned));
    }
    std::size_t sessions()
    {
        auto tool = peer();
        OK(tool.send(ipc::WhoWanted{}));
        auto packet = receive(tool.fd());
        auto answer = ipc::decode<ipc::WhoAnswer>(*packet);
        OK(answer);
        return answer->sessions.size();
    }
    bool killed()
    {
        until([&] { return usher.roster().size() == 0; });
        return sessions() == 0;
    }
    std::string client_hears()
    {
        std::string heard;
        until([&] {
            char buffer[100];
            auto count = ::recv(client.get(), buffer, sizeof buffer, MSG_DONTWAIT);
            heard += count > 0 ? std::string(buffer, std::size_t(count)) : "";
            return count == 0;
        });
        return heard;
    }

    FakeAuth auth;
    ipc::Connection door;
    util::UniqueFd client, given;
    std::uint64_t order = 0;
};

TEST(a_connection_goes_back_to_its_door_with_what_the_door_said_of_it)
{
    ReturningHouse house;
    house.take();
    EQ(house.sessions(), 1u);
    house.give_back(std::move(house.given), "a NOOP");
    auto packet = house.receive(house.door.fd());
    auto returned = ipc::decode<ipc::SessionReturned>(*packet);
    OK(returned);
    EQ(returned->facts.session, "s1");
    EQ(returned->facts.client_address, "192.0.2.1");
    EQ(returned->pending, "a NOOP");
    EQ(house.sessions(), 0u);
    say(house.client, "x");
    char byte = 0;
    EQ(::recv(returned->client.get(), &byte, 1, 0), 1);
    // A second time there is nothing to give back, and nobody hears of it.
    house.give_back(std::move(returned->client));
    EQ(house.client_hears(), "");
    EQ(house.usher.roster().size(), 1u);
    house.door.close();
}
END_TEST

TEST(only_the_connection_of_the_session_itself_goes_back)
{
    for (int way = 0; way < 4; ++way) {
        ReturningHouse house;
        house.take();
        auto other = util::sys::socket_pair(SOCK_STREAM);
        OK(other);
        if (way == 0)
            house.give_back(std::move(other->first));
        else if (way == 1)
            house.give_back(util::sys::open("/dev/null", O_RDWR).take());
        else if (way == 2)
            house.give_back({});
        else
            house.give_back(std::move(house.given), std::string(ipc::max_returned_bytes + 1, 'x'));
        THAT(house.killed());
        auto packet = ipc::receive_packet(house.door.fd(), MSG_DONTWAIT);
        THAT(!packet.ok());   // the door has heard nothing
    }
}
END_TEST

TEST(what_was_not_taken_or_cannot_go_back_does_not)
{
    {
        ReturningHouse house;   // the door has not heard that the session is open
        house.give_back(std::move(house.given));
        THAT(house.killed());
    }
    {
        ReturningHouse house(false, false);   // an older door
        house.take();
        house.give_back(std::move(house.given));
        THAT(house.killed());
    }
    ReturningHouse house;   // a session of nobody
    house.take();
    house.give_back(std::move(house.given), {}, "s2");
    EQ(house.client_hears(), "");
    EQ(house.sessions(), 1u);
}
END_TEST

TEST(as_much_as_may_be_pending_goes_back)
{
    ReturningHouse house;
    house.take();
    house.give_back(std::move(house.given), std::string(ipc::max_returned_bytes, 'x'));
    auto packet = house.receive(house.door.fd());
    auto returned = ipc::decode<ipc::SessionReturned>(*packet);
    OK(returned);
    EQ(returned->pending.size(), ipc::max_returned_bytes);
}
END_TEST

TEST(without_its_door_a_client_hears_its_last_words_unless_tls_is_gone_with_it)
{
    for (bool tls : {false, true}) {
        ReturningHouse house(tls);
        house.take();
        std::size_t before = house.gone;
        house.door.close();
        house.until([&] { return house.gone > before; });
        house.give_back(std::move(house.given));
        EQ(house.client_hears(), tls ? "" : "farewell");
        EQ(house.sessions(), 0u);
    }
}
END_TEST

// What it gives back is on its way when usher lets the process go: nobody has read it.
TEST(a_stop_loses_no_connection_that_was_given_back)
{
    for (bool door_gone : {false, true}) {
        for (bool tls : {false, true}) {
            ReturningHouse house(tls);
            house.take();
            if (door_gone)
                EQ(::shutdown(house.door.fd(), SHUT_RDWR), 0);   // usher has not heard of that either
            for (int i = 0; i < 20; ++i)
                OK(house.control().send(ipc::WakeSessions{.mailboxes = {1}}));
            house.give_back(std::move(house.given), "a NOOP");
            house.usher.stop([] {});
            if (door_gone) {
                EQ(house.client_hears(), tls ? "" : "farewell");
                continue;
            }
            auto packet = house.receive(house.door.fd());
            auto returned = ipc::decode<ipc::SessionReturned>(*packet);
            OK(returned);
            EQ(returned->pending, "a NOOP");
            THAT(returned->client.valid());
        }
    }
}
END_TEST

TEST(what_a_process_gives_back_as_it_is_let_go_stays_with_it)
{
    ReturningHouse house;
    house.take();
    house.usher.stop([] {});
    ipc::ReturnSession late;
    late.session = "s1";
    late.client = std::move(house.given);
    THAT(!house.control().send(late).ok());
    THAT(late.client.valid());
}
END_TEST

TEST(a_process_that_gives_back_and_dies_loses_nothing)
{
    ReturningHouse house;
    house.take();
    house.give_back(std::move(house.given));
    ::kill(house.launcher.pids.back(), SIGKILL);
    siginfo_t ended{};
    EQ(::waitid(P_PID, id_t(house.launcher.pids.back()), &ended, WEXITED | WNOWAIT), 0);
    house.usher.reap();
    auto packet = house.receive(house.door.fd());
    OK(ipc::decode<ipc::SessionReturned>(*packet));
}
END_TEST

// Both are on their way when it is let go, or has died: nobody has read that the session has begun.
TEST(a_session_that_has_just_begun_is_given_back_too)
{
    for (bool dies : {false, true}) {
        for (bool door_gone : {false, true}) {
            ReturningHouse house;
            if (door_gone)
                EQ(::shutdown(house.door.fd(), SHUT_RDWR), 0);
            OK(house.control().send(ipc::SessionTaken{.order = house.order, .refusal = {}}));
            house.give_back(std::move(house.given), "a NOOP");
            pid_t pid = house.launcher.pids.back();
            if (dies) {
                ::kill(pid, SIGKILL);
                siginfo_t ended{};
                EQ(::waitid(P_PID, id_t(pid), &ended, WEXITED | WNOWAIT), 0);
                house.usher.reap();
            } else {
                house.usher.stop([] {});
            }
            if (door_gone) {
                EQ(house.client_hears(), "farewell");
                continue;
            }
            auto packet = house.receive(house.door.fd());
            OK(ipc::decode<ipc::SessionOpened>(*packet));
            packet = house.receive(house.door.fd());
            auto returned = ipc::decode<ipc::SessionReturned>(*packet);
            OK(returned);
            EQ(returned->pending, "a NOOP");
            // Nothing of it is told again when the process is gone.
            ::kill(pid, SIGKILL);
            house.until([&] { return house.usher.roster().size() == 0; });
            THAT(!ipc::receive_packet(house.door.fd(), MSG_DONTWAIT).ok());
        }
    }
}
END_TEST

TEST(a_process_that_gives_back_and_goes_is_heard_also_when_a_send_finds_that_out)
{
    for (bool unread : {false, true}) {
        ReturningHouse house;
        house.take();
        if (unread)
            EQ(house.usher.quotas_changed(), 1u);
        house.give_back(std::move(house.given), "a NOOP");
        house.control().close();
        EQ(house.usher.quotas_changed(), 1u);   // it is told
        auto packet = house.receive(house.door.fd());
        auto returned = ipc::decode<ipc::SessionReturned>(*packet);
        OK(returned);
        EQ(returned->pending, "a NOOP");
    }
}
END_TEST

// Its door asks, auth answers, and the process goes, all before usher looks.
TEST(a_session_whose_process_has_just_gone_gets_the_next)
{
    ReturningHouse house;
    house.take();
    auto client = house.ask("s2");
    house.auth.answer(house.auth.wanted().request, true, "test");
    house.control().close();
    house.until([&] { return house.launcher.launched == 2; });
    OK(house.control().send(ipc::SessionCount{}));
    auto packet = house.receive(house.control().fd());
    ck_assert(packet.has_value());
    auto session = ipc::decode<ipc::NewSession>(*packet);
    OK(session);
    EQ(session->facts.session, "s2");
    OK(house.control().send(ipc::SessionTaken{.order = session->order, .refusal = {}}));
    packet = house.receive(house.door.fd());
    OK(ipc::decode<ipc::SessionOpened>(*packet));
    EQ(house.sessions(), 1u);
}
END_TEST

TEST(a_session_that_its_process_was_never_sent_is_refused_for_now)
{
    ReturningHouse house(false, true, true);
    house.take();
    auto local = house.peer();
    for (int i = 0; i < 30; ++i)
        THAT(house.open(local, "test").valid());   // more than it can be sent while it does not read
    auto client = house.ask("s2");
    house.auth.answer(house.auth.wanted().request, true, "test");
    house.until([&] { return house.sessions() == 2; });
    house.control().close();
    auto packet = house.receive(house.door.fd());
    auto failed = ipc::decode<ipc::MailboxFailed>(*packet);
    OK(failed);
    THAT(!failed->permanent);
    EQ(failed->text, "the user's mailbox process has ended");
    EQ(house.sessions(), 0u);
}
END_TEST

SUITE(returned, a_session_whose_process_has_just_gone_gets_the_next,
      a_session_that_its_process_was_never_sent_is_refused_for_now, a_session_that_has_just_begun_is_given_back_too,
      a_process_that_gives_back_and_goes_is_heard_also_when_a_send_finds_that_out,
      a_stop_loses_no_connection_that_was_given_back, what_a_process_gives_back_as_it_is_let_go_stays_with_it,
      a_process_that_gives_back_and_dies_loses_nothing,
      a_connection_goes_back_to_its_door_with_what_the_door_said_of_it, only_the_connection_of_the_session_itself_goes_back,
      what_was_not_taken_or_cannot_go_back_does_not, as_much_as_may_be_pending_goes_back,
      without_its_door_a_client_hears_its_last_words_unless_tls_is_gone_with_it)

}  // namespace
