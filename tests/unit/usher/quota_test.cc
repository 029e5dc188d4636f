// Quotas at usher: what it tells mailboxes, what it believes of them, and what it answers.
#include "libipc/quota.h"
#include "tests/unit/usher/fixture.h"
#include "usher/ledger.h"

namespace {

using namespace test;
using usher::Ledger;

class TestQuotas final : public usher::Quotas {
public:
    util::Result<usher::AccountQuota> of(std::string_view account) override
    {
        if (broken)
            return util::temporary("the file cannot be read");
        usher::AccountQuota quota;
        auto found = limits.find(account);
        if (found == limits.end())
            return quota;
        quota.order.storage = found->second.storage;
        quota.order.grace_percent = found->second.grace_percent;
        quota.order.shared = found->second.of_domain.has_value();
        quota.domain = "d";
        quota.of_domain.storage = found->second.of_domain;
        quota.home = util::concat("home of ", account);
        return quota;
    }
    util::Result<std::vector<usher::Member>> members(std::string_view) override
    {
        std::vector<usher::Member> members;
        for (const auto& item : limits)
            members.push_back({item.first, util::concat("home of ", item.first)});
        return members;
    }
    std::uint64_t accounts_version() override { return version; }
    std::optional<ipc::MailUsage> usage_at(const std::string& home) override
    {
        auto found = closed.find(home);
        return found == closed.end() ? std::nullopt : std::optional(found->second);
    }

    ipc::MailUsage room_at(const std::string& home) override { return {on_disk[home], on_disk[home] / 80, 0}; }

    void add(const std::string& account, std::optional<std::uint64_t> storage, std::optional<std::uint64_t> of_domain = {})
    {
        limits[account] = {storage, of_domain};
        ++version;
    }

    struct Limits {
        std::optional<std::uint64_t> storage, of_domain;
        std::uint32_t grace_percent = 0;
    };
    std::map<std::string, Limits, std::less<>> limits;
    std::map<std::string, ipc::MailUsage> closed;   // by home
    std::map<std::string, std::uint64_t> on_disk;   // the same
    std::uint64_t version = 1;
    bool broken = false;
};

struct QuotaHouse : House {
    explicit QuotaHouse(usher::Settings settings = own_settings()) : House(std::move(settings)) { usher.set_quotas(quotas); }

    // The mailbox's end of the account socket, from the order that is next on its control socket.
    ipc::Connection account_socket(const std::string& account)
    {
        auto packet = receive(launcher.controls[account].fd());
        ck_assert(packet.has_value());
        auto got = ipc::decode<ipc::QuotaOrder>(*packet);
        OK(got);
        ipc::Connection socket(std::move(got->account));
        order = got.take();
        return socket;
    }
    void tell(ipc::Connection& socket, std::uint64_t bytes, std::uint64_t messages = 1)
    {
        OK(socket.send(ipc::UsageTold{.usage = {bytes, messages, 6}}));
    }
    ipc::Room ask(ipc::Connection& socket, std::uint64_t used, std::uint64_t more)
    {
        OK(socket.send(ipc::RoomWanted{.request = ++request, .used = {used, 1, 6}, .bytes = more, .messages = 1}));
        return room(socket);
    }
    ipc::Room room(ipc::Connection& socket)
    {
        auto packet = receive(socket.fd());
        ck_assert(packet.has_value());
        auto answer = ipc::decode<ipc::RoomAnswer>(*packet);
        OK(answer);
        EQ(answer->request, request);
        return answer->room;
    }
    void question(ipc::Connection& smtpd, const std::string& account, std::uint64_t size)
    {
        OK(smtpd.send(ipc::QuotaAsked{.request = ++request, .account = account, .size = size}));
    }
    std::string answer(ipc::Connection& smtpd)
    {
        auto packet = receive(smtpd.fd());
        ck_assert(packet.has_value());
        auto got = ipc::decode<ipc::QuotaAnswer>(*packet);
        OK(got);
        EQ(got->request, request);
        EQ(got->full, !got->text.empty());
        return got->text;
    }
    std::string ask_for(ipc::Connection& smtpd, const std::string& account, std::uint64_t size)
    {
        question(smtpd, account, size);
        return answer(smtpd);
    }
    // The test's mailbox says that it is up.
    void up(const std::string& account) { OK(launcher.controls[account].send(ipc::SessionCount{})); }

    TestQuotas quotas;
    ipc::QuotaOrder order;
};

constexpr std::string_view mailbox_full = "mailbox is full (over quota)";
constexpr std::string_view domain_full = "the mailboxes of this domain are full (over quota)";

TEST(an_account_with_limits_is_told_before_anything_else)
{
    QuotaHouse house;
    house.quotas.add("test-a", 1000);
    auto local = house.peer();
    auto deliveries = house.open(local, "test-a");
    auto socket = house.account_socket("test-a");
    EQ(house.order.storage.value(), 1000U);
    THAT(!house.order.messages && !house.order.shared && socket.valid());
    auto next = house.receive(house.launcher.controls["test-a"].fd());
    EQ(next->name(), ipc::NewDeliveries::message_name);
    // Who has none hears nothing of quotas.
    auto other = house.open(local, "test-b");
    next = house.receive(house.launcher.controls["test-b"].fd());
    EQ(next->name(), ipc::NewDeliveries::message_name);
    // When limits cannot be read, nobody is served without.
    house.quotas.broken = true;
    THAT(!house.open(local, "test-c").valid());
    EQ(house.failure.permanent, false);
}
END_TEST

TEST(new_limits_reach_mailboxes_that_are_open)
{
    QuotaHouse house;
    auto local = house.peer();
    auto root = house.peer();
    auto deliveries = house.open(local, "test-a");
    (void)house.receive(house.launcher.controls["test-a"].fd());
    house.quotas.add("test-a", 1000);
    OK(root.send(ipc::QuotasChanged{}));
    auto taken = house.receive(root.fd());
    EQ(ipc::decode<ipc::QuotasTaken>(*taken)->mailboxes, 1U);
    auto socket = house.account_socket("test-a");
    EQ(house.order.storage.value(), 1000U);
    THAT(socket.valid());
    house.quotas.limits.clear();
    OK(root.send(ipc::QuotasChanged{}));
    (void)house.receive(root.fd());
    THAT(!house.account_socket("test-a").valid());   // it has it already
    THAT(!house.order.storage);
}
END_TEST

TEST(a_recipient_is_judged_by_what_its_mailbox_says)
{
    QuotaHouse house;
    house.quotas.add("test-a", 1000);
    auto smtpd = house.peer();
    // Nobody has opened it since it was closed.
    house.quotas.closed["home of test-a"] = {400, 1, 6};
    EQ(house.ask_for(smtpd, "test-a", 600), "");
    EQ(house.ask_for(smtpd, "test-a", 601), mailbox_full);
    EQ(house.ask_for(smtpd, "test-a", 0), "");
    EQ(house.launcher.launched, 0U);
    auto local = house.peer();
    auto deliveries = house.open(local, "test-a");
    auto socket = house.account_socket("test-a");
    house.tell(socket, 1000);
    EQ(house.ask_for(smtpd, "test-a", 0), mailbox_full);   // nothing more at all
    house.tell(socket, 200);
    EQ(house.ask_for(smtpd, "test-a", 800), "");
    house.quotas.limits["test-a"].grace_percent = 10;
    EQ(house.ask_for(smtpd, "test-a", 900), "");
    EQ(house.ask_for(smtpd, "test-a", 901), mailbox_full);
    // Who has no limits, or is none, is nobody's concern.
    EQ(house.ask_for(smtpd, "plain", 1U << 30), "");
    EQ(house.launcher.launched, 1U);
}
END_TEST

TEST(when_nobody_knows_the_mailbox_is_opened)
{
    QuotaHouse house;
    house.quotas.add("test-a", 1000);
    auto smtpd = house.peer();
    house.question(smtpd, "test-a", 5000);
    house.until([&] { return house.launcher.launched == 1; });
    auto socket = house.account_socket("test-a");
    house.up("test-a");
    house.tell(socket, 900);
    EQ(house.answer(smtpd), mailbox_full);
    // One that does not start is not waited for: the message finds out.
    house.quotas.add("dies-b", 1000);
    EQ(house.ask_for(smtpd, "dies-b", 5000), "");
}
END_TEST

TEST(the_accounts_of_a_domain_share_its_limit_exactly)
{
    QuotaHouse house;
    house.quotas.add("test-a", {}, 1000);
    house.quotas.add("test-b", 800, 1000);
    house.quotas.add("test-c", {}, 1000);
    house.quotas.closed["home of test-a"] = {100, 1, 6};
    house.quotas.closed["home of test-b"] = {200, 1, 6};
    house.quotas.closed["home of test-c"] = {300, 1, 6};
    auto local = house.peer();
    auto a_deliveries = house.open(local, "test-a");
    auto a = house.account_socket("test-a");
    THAT(house.order.shared);
    auto b_deliveries = house.open(local, "test-b");
    auto b = house.account_socket("test-b");
    house.tell(a, 100);
    house.tell(b, 200);
    // 600 are used: 400 are there for whoever comes first, to the byte.
    THAT(house.ask(a, 100, 401) == ipc::Room::Full);
    THAT(house.ask(a, 100, 250) == ipc::Room::Granted);
    THAT(house.ask(b, 200, 151) == ipc::Room::Full);
    THAT(house.ask(b, 200, 150) == ipc::Room::Granted);
    THAT(house.ask(a, 350, 1) == ipc::Room::Full);
    THAT(house.ask(b, 350, 0) == ipc::Room::Granted);
    // What was granted and not stored is given back, as is what was deleted.
    house.tell(a, 100);
    THAT(house.ask(b, 350, 251) == ipc::Room::Full);
    THAT(house.ask(b, 350, 250) == ipc::Room::Granted);
    house.tell(b, 0);
    auto smtpd = house.peer();
    EQ(house.ask_for(smtpd, "test-c", 600), "");
    EQ(house.ask_for(smtpd, "test-c", 601), domain_full);
    // A member that goes takes what it holds along; one that comes brings it.
    house.quotas.limits.erase("test-c");
    ++house.quotas.version;
    THAT(house.ask(a, 100, 900) == ipc::Room::Granted);
    house.tell(a, 100);
    house.quotas.closed["home of test-d"] = {500, 1, 6};
    house.quotas.add("test-d", {}, 1000);
    THAT(house.ask(a, 100, 401) == ipc::Room::Full);
    THAT(house.ask(a, 100, 400) == ipc::Room::Granted);
}
END_TEST

TEST(a_domain_waits_until_all_its_mailboxes_are_known)
{
    QuotaHouse house;
    house.quotas.add("test-a", {}, 1000);
    house.quotas.add("test-b", {}, 1000);
    auto local = house.peer();
    auto deliveries = house.open(local, "test-a");
    auto a = house.account_socket("test-a");
    OK(a.send(ipc::RoomWanted{.request = ++house.request, .used = {100, 1, 6}, .bytes = 500, .messages = 1}));
    // The other one is opened for that, and ends when it has said it.
    house.until([&] { return house.launcher.controls.contains("test-b"); });
    auto b = house.account_socket("test-b");
    house.up("test-b");
    house.tell(b, 400);
    THAT(house.room(a) == ipc::Room::Granted);
    THAT(house.ask(a, 600, 1) == ipc::Room::Full);
    house.until([&] { return house.usher.roster().leaving() == 1; });
    // What it has left counts from then on.
    house.quotas.closed["/nonexistent"] = {150, 1, 6};
    ::kill(house.launcher.pids[1], SIGKILL);
    house.until([&] { return house.usher.roster().size() == 1; });
    THAT(house.ask(a, 600, 250) == ipc::Room::Granted);
}
END_TEST

TEST(one_store_that_cannot_be_opened_does_not_stop_its_domain)
{
    QuotaHouse house;
    house.quotas.add("test-a", {}, 1000);
    house.quotas.add("dies-b", {}, 1000);
    auto local = house.peer();
    auto deliveries = house.open(local, "test-a");
    auto a = house.account_socket("test-a");
    THAT(house.ask(a, 100, 900) == ipc::Room::Granted);
    THAT(house.ask(a, 1000, 1) == ipc::Room::Full);
}
END_TEST

TEST(a_forged_usage_takes_no_more_of_its_domain_than_its_account_may_have)
{
    QuotaHouse house;
    house.quotas.add("test-a", {}, 10'000);
    house.quotas.add("test-b", 2000, 10'000);
    house.quotas.add("test-c", 1000, 10'000);
    house.quotas.limits["test-b"].grace_percent = 10;
    house.quotas.closed["home of test-b"] = {UINT64_MAX, UINT64_MAX, 6};
    house.quotas.closed["home of test-c"] = {3000, 1, 6};    // the limit came later
    house.quotas.on_disk["home of test-c"] = 2500;
    auto local = house.peer();
    auto deliveries = house.open(local, "test-a");
    auto a = house.account_socket("test-a");
    house.tell(a, 0);
    // 2200 and 2500 are counted.
    THAT(house.ask(a, 0, 5301) == ipc::Room::Full);
    THAT(house.ask(a, 0, 5300) == ipc::Room::Granted);
    house.tell(a, 0);
    // So are those that processes tell; what is less is believed, and what was counted before.
    auto b_deliveries = house.open(local, "test-b");
    auto b = house.account_socket("test-b");
    auto c_deliveries = house.open(local, "test-c");
    auto c = house.account_socket("test-c");
    THAT(house.ask(b, UINT64_MAX, 1) == ipc::Room::Granted);
    THAT(house.ask(a, 0, 5300) == ipc::Room::Full);   // b grows by what it asked for
    house.tell(b, 1500);
    house.tell(c, 4000);
    THAT(house.ask(a, 0, 6001) == ipc::Room::Full);
    THAT(house.ask(a, 0, 6000) == ipc::Room::Granted);
    // Its own recipients hear of what it says itself.
    house.tell(c, 3000);
    auto smtpd = house.peer();
    EQ(house.ask_for(smtpd, "test-c", 1), domain_full);
    THAT(house.ask(a, 0, 0) == ipc::Room::Granted);
    EQ(house.ask_for(smtpd, "test-c", 1), mailbox_full);
    EQ(house.ask_for(smtpd, "test-a", 1), "");
}
END_TEST

// By a user whose own they are.
TEST(a_mailbox_that_is_killed_whenever_it_is_opened_does_not_hold_up_its_domain)
{
    QuotaHouse house;
    house.quotas.add("test-a", {}, 1000);
    house.quotas.add("test-b", {}, 1000);
    auto local = house.peer();
    auto deliveries = house.open(local, "test-a");
    auto a = house.account_socket("test-a");
    auto ask = [&](std::uint64_t more) {
        OK(a.send(ipc::RoomWanted{.request = ++house.request, .used = {100, 1, 6}, .bytes = more, .messages = 1}));
    };
    ask(900);
    house.until([&] { return house.launcher.controls.contains("test-b"); });
    house.up("test-b");
    ::kill(house.launcher.pids[1], SIGKILL);
    THAT(house.room(a) == ipc::Room::Granted);
    THAT(house.ask(a, 1000, 1) == ipc::Room::Full);
    // What it said once counts, when its store says nothing.
    auto b_deliveries = house.open(local, "test-b");
    auto b = house.account_socket("test-b");
    house.tell(b, 300);
    THAT(house.ask(a, 100, 601) == ipc::Room::Full);
    ::kill(house.launcher.pids[2], SIGKILL);
    house.until([&] { return house.usher.roster().size() == 1; });
    THAT(house.ask(a, 100, 601) == ipc::Room::Full);
    THAT(house.ask(a, 100, 600) == ipc::Room::Granted);
}
END_TEST

TEST(a_mailbox_that_says_nothing_does_not_hold_up_its_domain)
{
    auto settings = House::own_settings();
    settings.room_patience = util::Duration(0);
    QuotaHouse house(settings);
    house.quotas.add("test-a", {}, 1000);
    house.quotas.add("test-b", {}, 1000);
    auto local = house.peer();
    auto b_deliveries = house.open(local, "test-b");
    auto b = house.account_socket("test-b");
    auto deliveries = house.open(local, "test-a");
    auto a = house.account_socket("test-a");
    THAT(house.ask(a, 100, 900) == ipc::Room::Granted);
    THAT(house.ask(b, 1, 0) == ipc::Room::Full);   // it is known from now on
    THAT(house.ask(a, 100, 900) == ipc::Room::Full);
}
END_TEST

TEST(root_hears_what_accounts_hold)
{
    QuotaHouse house;
    house.quotas.add("test-a", 1000);
    house.quotas.add("test-b", 1000);
    house.quotas.closed["home of test-b"] = {77, 7, 7};
    auto local = house.peer();
    auto root = house.peer();
    auto deliveries = house.open(local, "test-a");
    auto a = house.account_socket("test-a");
    house.tell(a, 1);
    ipc::UsageWanted wanted;
    wanted.accounts = {"test-a", "test-b"};
    OK(root.send(wanted));
    auto asked = house.receive(a.fd());
    EQ(asked->name(), ipc::UsageAsked::message_name);
    house.tell(a, 55);
    auto packet = house.receive(root.fd());
    auto known = ipc::decode<ipc::UsageKnown>(*packet);
    OK(known);
    EQ(known->accounts.size(), 2U);
    for (const auto& item : known->accounts)
        EQ(item.usage.bytes, item.account == "test-a" ? 55U : 77U);
}
END_TEST

TEST(smtpd_may_ask_for_quotas_and_nothing_else)
{
    auto settings = House::own_settings();
    settings.own_uid = false;
    settings.smtpd_uid = ::geteuid();
    settings.local_uid = settings.imap_uid = settings.pop3_uid = settings.administrator_uid = 77'777;
    QuotaHouse house(settings);
    auto smtpd = house.peer();
    EQ(house.ask_for(smtpd, "plain", 1), "");
    ipc::OpenMailbox wanted;
    wanted.account = "plain";
    OK(smtpd.send(wanted));
    THAT(!house.receive(smtpd.fd()).has_value());
    for (int i = 0; i < 2; ++i) {
        auto again = house.peer();
        if (i == 0)
            OK(again.send(ipc::QuotasChanged{}));
        else
            OK(again.send(ipc::UsageWanted{}));
        THAT(!house.receive(again.fd()).has_value());
    }
    EQ(house.launcher.launched, 0U);
    // And they are never so many that others find no place.
    std::vector<ipc::Connection> many;
    house.until([&] { return house.gone == 3; });
    std::size_t before = house.gone;
    for (std::size_t i = 0; i < usher::max_receivers; ++i)
        many.push_back(house.peer());
    EQ(house.gone, before);
    many.push_back(house.peer());
    EQ(house.gone, before + 1);
    many.clear();
    house.until([&] { return house.gone == before + 1 + usher::max_receivers; });
    auto last = house.peer();
    EQ(house.ask_for(last, "plain", 1), "");
}
END_TEST

TEST(the_ledger_counts_what_it_was_told_last)
{
    Ledger ledger;
    Ledger::Limits limits{1000, 10};
    THAT(ledger.judge("d", limits, {}) == ipc::Room::Unknown);
    ledger.told("a", {900, 9, 1});
    ledger.set_members("d", {"a", "b"});
    EQ(ledger.total("d").bytes, 900U);
    EQ(ledger.unknown_members("d", 5).size(), 1U);
    // What is known may be enough to say no.
    THAT(ledger.judge("d", limits, {101, 1, 0}) == ipc::Room::Full);
    THAT(ledger.judge("d", limits, {100, 1, 0}) == ipc::Room::Unknown);
    THAT(ledger.grant("b", "d", limits, {0, 0, 1}, {100, 1, 0}) == ipc::Room::Granted);
    EQ(ledger.total("d").messages, 10U);
    THAT(ledger.grant("a", "d", limits, {900, 9, 1}, {0, 1, 0}) == ipc::Room::Full);
    THAT(ledger.grant("a", "d", limits, {800, 8, 1}, {100, 1, 0}) == ipc::Room::Granted);
    ledger.forget("b");
    EQ(ledger.total("d").bytes, 900U);
    THAT(ledger.judge("d", limits, {1, 1, 0}) == ipc::Room::Unknown);
    ledger.set_members("d", {"a"});
    THAT(ledger.judge("d", limits, {100, 1, 0}) == ipc::Room::Granted);
    // Numbers that a broken mailbox says cannot make room.
    ledger.set_members("d", {"a", "b"});
    ledger.told("b", {UINT64_MAX, UINT64_MAX, 0});
    THAT(ledger.judge("d", limits, {1, 1, 0}) == ipc::Room::Full);
    ledger.told("b", {100, 1, 0});
    EQ(ledger.total("d").bytes, 1000U);
    ledger.drop_domain("d");
    EQ(ledger.usage("a")->bytes, 900U);
    THAT(!Ledger::fits({1000, {}}, {UINT64_MAX, 0, 0}, {UINT64_MAX, 0, 0}));
}
END_TEST

SUITE(usher_quota, an_account_with_limits_is_told_before_anything_else, new_limits_reach_mailboxes_that_are_open,
      a_recipient_is_judged_by_what_its_mailbox_says, when_nobody_knows_the_mailbox_is_opened,
      the_accounts_of_a_domain_share_its_limit_exactly, a_domain_waits_until_all_its_mailboxes_are_known,
      one_store_that_cannot_be_opened_does_not_stop_its_domain,
      a_forged_usage_takes_no_more_of_its_domain_than_its_account_may_have,
      a_mailbox_that_is_killed_whenever_it_is_opened_does_not_hold_up_its_domain,
      a_mailbox_that_says_nothing_does_not_hold_up_its_domain, root_hears_what_accounts_hold,
      smtpd_may_ask_for_quotas_and_nothing_else, the_ledger_counts_what_it_was_told_last)

}  // namespace
