// Groups of accounts, which access control lists name: who is in one says usher.
#include "tests/unit/usher/fake_auth.h"
#include "tests/unit/usher/fixture.h"

#include <set>

namespace {

using namespace test;

TEST(a_session_has_the_groups_of_its_user)
{
    House house(with_auth());
    FakeAuth auth(house);
    auto door = house.peer();
    house.groups = {"staff"};
    ipc::SessionFacts facts;
    facts.session = "s1";
    facts.groups = {"chiefs"};   // a door cannot say so
    auto client = house.ask(door, facts);
    auth.answer(auth.wanted().request, true, "test");
    house.until([&] { return house.launcher.controls.contains("test"); });
    auto packet = house.receive(house.launcher.controls["test"].fd());
    auto session = ipc::decode<ipc::NewSession>(*packet);
    OK(session);
    EQ(session->facts.groups, std::vector<std::string>{"staff"});
}
END_TEST

TEST(a_guest_comes_by_his_group_and_goes_when_it_changes)
{
    auto settings = with_auth();
    settings.other_users_prefix = "Other Users/";
    House house(settings);
    FakeAuth auth(house);
    auto local = house.peer();
    // Two mailbox processes that the test plays; the first shares with a group.
    auto owner_deliveries = [&](std::string_view account) {
        ipc::OpenMailbox wanted;
        wanted.account = account;
        OK(local.send(wanted));
        house.until([&] { return house.launcher.controls.contains(std::string(account)); });
        OK(house.launcher.controls[std::string(account)].send(ipc::SessionCount{}));
    };
    owner_deliveries("test-owner");
    owner_deliveries("test-guest");
    auto& owner = house.launcher.controls["test-owner"];
    auto& guest = house.launcher.controls["test-guest"];
    auto next = [&]<typename Message>(ipc::Connection& of, Message) {
        for (;;) {
            auto packet = house.receive(of.fd());
            ck_assert(packet.has_value());
            if (packet->name() == Message::message_name)
                return ipc::decode<Message>(*packet);
        }
    };
    OK(owner.send(ipc::SharedWith{.identifiers = {"group=staff"}}));
    OK(owner.send(ipc::AskSharers{.request = 1}));   // usher has seen the one before when it answers
    next(owner, ipc::Sharers{});
    OK(guest.send(ipc::OpenGuest{.request = 1, .owner = "test-owner"}));
    next(guest, ipc::GuestRefused{});
    house.groups = {"other", "staff"};
    OK(guest.send(ipc::AskSharers{.request = 2}));
    auto sharers = next(guest, ipc::Sharers{});
    OK(sharers);
    EQ(sharers->owners, std::vector<std::string>{"test-owner"});
    OK(guest.send(ipc::OpenGuest{.request = 3, .owner = "test-owner"}));
    auto opened = next(guest, ipc::GuestOpened{});
    OK(opened);
    auto session = next(owner, ipc::NewSession{});
    OK(session);
    EQ(session->facts.guest, "test-guest");
    EQ(session->facts.groups, (std::vector<std::string>{"other", "staff"}));
    // What it has open ends, and nothing else.
    auto tool = house.peer();
    OK(tool.send(ipc::GroupsChanged{"test-guest"}));
    auto ending = next(tool, ipc::SessionsEnding{});
    OK(ending);
    EQ(ending->count, 1u);
    auto end = next(owner, ipc::EndSessions{});
    OK(end);
    EQ(end->session, session->facts.session);
    EQ(next(guest, ipc::UserGroups{})->groups, house.groups);   // his own go on
    house.groups = {};
    OK(tool.send(ipc::GroupsChanged{"test-owner"}));
    EQ(next(tool, ipc::SessionsEnding{})->count, 0u);
    EQ(next(owner, ipc::UserGroups{})->groups, house.groups);
}
END_TEST

bool is_over(const util::UniqueFd& connection)
{
    char byte;
    return ::recv(connection.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

TEST(a_list_of_sharers_may_be_longer_than_what_waits_in_a_socket)
{
    constexpr std::size_t count = 200 * (usher::control_queue_limit + 100);
    auto settings = House::own_settings();
    settings.shares_file = util::concat("/tmp/tern-usher-shares-", ::getpid());
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
        util::append(text, "owner", i, "\ttest-guest\n");
    OK(util::sys::replace_file(settings.shares_file, text, 0600));
    Neighbours house(settings);
    ::unlink(settings.shares_file.c_str());
    auto& guest = house.play("test-guest");
    for (std::uint64_t request : {7u, 8u})
        OK(guest.send(ipc::AskSharers{.request = request}));
    // It does not read for a while; what else is for it waits behind what is in the socket already.
    house.loop.run_for(std::chrono::milliseconds(50));
    for (std::uint64_t request : {7u, 8u}) {
        std::set<std::string> owners;
        bool last = false;
        while (!last) {
            auto answer = house.next<ipc::Sharers>(guest);
            EQ(answer.request, request);
            owners.insert(answer.owners.begin(), answer.owners.end());
            last = answer.last;
        }
        EQ(owners.size(), count);
    }
    // Who asks for more at once than he may have sessions is no mailbox.
    for (std::size_t asked = 0; asked < usher::max_sharer_questions + 2 && house.usher.roster().serves("test-guest");) {
        std::vector<int> none;
        auto bytes = ipc::encode(ipc::AskSharers{.request = asked}, none);
        if (ipc::send_packet(guest.fd(), bytes, none, MSG_DONTWAIT).ok())
            ++asked;
        else
            house.loop.run_for(std::chrono::milliseconds(1));
    }
    house.until([&] { return !house.usher.roster().serves("test-guest"); });
}
END_TEST

TEST(a_guest_has_a_share_of_what_waits_and_does_not_fill_the_owners_socket)
{
    auto settings = House::own_settings();
    settings.other_users_prefix = "Other Users/";
    settings.order_timeout = std::chrono::seconds(300);
    settings.failure_pause = std::chrono::seconds(100);   // an owner that has crashed is waited for
    Neighbours house(settings);
    auto& owner = house.play("test-owner");
    auto& guest = house.play("test-guest");
    OK(owner.send(ipc::SharedWith{.identifiers = {"test-guest"}}));
    OK(owner.send(ipc::AskSharers{.request = 1}));
    house.next<ipc::Sharers>(owner);
    house.next<ipc::NewDeliveries>(guest);
    // The owner does not read.
    std::uint64_t request = 0;
    std::size_t refused = 0;
    while (refused == 0 && request < 5000) {
        OK(guest.send(ipc::OpenGuest{.request = ++request, .owner = "test-owner"}));
        auto packet = house.receive(guest.fd());
        ck_assert(packet.has_value());
        refused += packet->name() == ipc::GuestRefused::message_name;
    }
    EQ(refused, 1u);
    THAT(house.usher.roster().serves("test-owner"));
    // All but those that wait behind the socket are in it.
    std::size_t in_socket = 0;
    for (auto packet = ipc::receive_packet(owner.fd(), MSG_DONTWAIT); packet.ok() && *packet;
         packet = ipc::receive_packet(owner.fd(), MSG_DONTWAIT), ++in_socket)
        EQ(ipc::decode<ipc::NewSession>(**packet)->facts.guest, "test-guest");
    EQ(request - 1 - in_socket, usher::guest_queue_limit);

    // The owner has crashed, and so many wait for the next process: each of them is open until it is refused.
    ::kill(house.usher.roster().pid_of("test-owner"), SIGKILL);
    house.until([&] { return !house.usher.roster().serves("test-owner"); });
    std::vector<util::UniqueFd> waiting;
    for (std::size_t i = 0; i <= usher::max_waiting_of_guest; ++i) {
        OK(guest.send(ipc::OpenGuest{.request = ++request, .owner = "test-owner"}));
        waiting.push_back(std::move(house.next<ipc::GuestOpened>(guest).connection));
    }
    house.until([&] { return is_over(waiting.back()); });
    waiting.pop_back();
    for (const auto& connection : waiting)
        THAT(!is_over(connection));
}
END_TEST

TEST(all_guests_of_one_owner_have_a_share_of_what_waits)
{
    auto settings = House::own_settings();
    settings.other_users_prefix = "Other Users/";
    settings.order_timeout = std::chrono::seconds(300);
    settings.failure_pause = std::chrono::seconds(100);
    Neighbours house(settings);
    auto& owner = house.play("test-owner");
    OK(owner.send(ipc::SharedWith{.identifiers = {"anyone"}}));
    OK(owner.send(ipc::AskSharers{.request = 1}));
    house.next<ipc::Sharers>(owner);
    ::kill(house.usher.roster().pid_of("test-owner"), SIGKILL);
    house.until([&] { return !house.usher.roster().serves("test-owner"); });
    std::vector<util::UniqueFd> waiting;
    constexpr std::size_t guests = usher::max_waiting_of_guests_with / usher::max_waiting_of_guest;
    static_assert(guests * usher::max_waiting_of_guest == usher::max_waiting_of_guests_with);
    for (std::size_t number = 0; number <= guests; ++number) {
        auto& guest = house.play(util::concat("test-guest", number));
        for (std::size_t i = 0; i < (number < guests ? usher::max_waiting_of_guest : 1); ++i) {
            OK(guest.send(ipc::OpenGuest{.request = i + 1, .owner = "test-owner"}));
            waiting.push_back(std::move(house.next<ipc::GuestOpened>(guest).connection));
        }
    }
    house.until([&] { return is_over(waiting.back()); });
    waiting.pop_back();
    EQ(waiting.size(), usher::max_waiting_of_guests_with);
    for (const auto& connection : waiting)
        THAT(!is_over(connection));
}
END_TEST

SUITE(groups, all_guests_of_one_owner_have_a_share_of_what_waits, a_session_has_the_groups_of_its_user,
      a_guest_comes_by_his_group_and_goes_when_it_changes, a_list_of_sharers_may_be_longer_than_what_waits_in_a_socket,
      a_guest_has_a_share_of_what_waits_and_does_not_fill_the_owners_socket)

}  // namespace
