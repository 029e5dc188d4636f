// QuotaKeeper: warnings, what usher is told, and growth that usher must permit.
#include "mailbox/quota_keeper.h"
#include "tests/unit/mailbox/fixture.h"

namespace {

using namespace test;

store::Rendered subject_only(std::string_view message)
{
    store::Rendered out = rendered("x");
    std::size_t at = message.find("Subject: ");
    out.preview = std::string(message.substr(at, message.find('\r', at) - at));
    return out;
}

struct Fixture {
    Directory directory;
    std::unique_ptr<store::Store> store = open(directory.path);
    util::EventLoop loop = util::EventLoop::create().take();
    std::optional<mailbox::QuotaKeeper> keeper{std::in_place, loop, *store, "user@example.org", subject_only};
    ipc::Connection usher;

    ipc::QuotaOrder order(std::optional<std::uint64_t> storage, std::optional<std::uint64_t> messages, bool with_socket = false)
    {
        ipc::QuotaOrder order;
        order.storage = storage;
        order.messages = messages;
        order.warnings = {50, 80, 95};
        order.hostname = "mx.example.org";
        if (with_socket) {
            auto pair = util::sys::socket_pair(SOCK_SEQPACKET).take();
            order.account = std::move(pair.first);
            usher = ipc::Connection(std::move(pair.second));
        }
        return order;
    }
    void put(std::size_t count, std::size_t size = 100)
    {
        for (std::size_t i = 0; i < count; ++i)
            add(*store, "INBOX", "mail", 0, {}, size);
        keeper->turn();
    }
    void remove(std::uint32_t first, std::uint32_t last)
    {
        std::vector<std::uint32_t> uids;
        for (std::uint32_t uid = first; uid <= last; ++uid)
            uids.push_back(uid);
        OK(store->expunge(id_of(*store, "INBOX"), uids));
        keeper->turn();
    }
    // The subjects of the warnings in INBOX.
    std::vector<std::string> warnings()
    {
        std::vector<std::string> subjects;
        for (const auto& entry : test::mailbox(*store, "INBOX").entries)
            if (auto texts = store->read_rendered(entry); texts->preview.starts_with("Subject: "))
                subjects.emplace_back(texts->preview.substr(9));
        return subjects;
    }
    std::optional<ipc::MailUsage> told()
    {
        auto packet = ipc::receive_packet(usher.fd(), MSG_DONTWAIT);
        if (!packet.ok())
            return std::nullopt;
        auto usage = ipc::decode<ipc::UsageTold>(**packet);
        OK(usage);
        return usage->usage;
    }
};

TEST(each_threshold_is_told_once_each_time_that_it_is_passed)
{
    Fixture f;
    f.keeper->take(f.order({}, 20));
    f.put(9);
    EQ(f.warnings().size(), 0U);
    f.put(1);   // 10 of 20; the warning is the eleventh
    EQ(f.warnings().size(), 1U);
    EQ(f.warnings()[0], "Your mailbox is 50% full");
    f.put(1);
    f.keeper->turn();
    EQ(f.warnings().size(), 1U);
    // Several at once: the highest.  20 + 1 is over the quota, and the warning came nevertheless.
    f.put(8);
    EQ(f.warnings().size(), 2U);
    EQ(f.warnings()[1], "Your mailbox is 100% full");
    EQ(f.store->usage().messages, 21U);
    for (int i = 0; i < 5; ++i)
        f.keeper->turn();
    EQ(f.warnings().size(), 2U);
    // Below, and up again.
    f.remove(1, 9);
    EQ(f.warnings().size(), 2U);
    f.put(4);   // 16 of 20
    EQ(f.warnings().size(), 3U);
    EQ(f.warnings()[2], "Your mailbox is 80% full");
}
END_TEST

TEST(a_warning_that_passes_the_next_threshold_itself_tells_of_it_and_no_more)
{
    Fixture f;
    auto order = f.order({}, 4);
    order.warnings = {25, 50, 75, 100};
    f.keeper->take(std::move(order));
    f.put(1);
    EQ(f.warnings().size(), 4U);
    EQ(f.store->usage().messages, 5U);
    f.keeper->turn();
    EQ(f.store->usage().messages, 5U);
}
END_TEST

TEST(what_was_passed_before_is_not_told_again_but_a_lower_limit_is)
{
    Fixture f;
    f.put(10);
    f.keeper->take(f.order(2000, {}));   // 1000 of 2000 when the process begins
    f.keeper->turn();
    EQ(f.warnings().size(), 0U);
    f.keeper->take(f.order(1050, {}));
    f.keeper->turn();
    EQ(f.warnings().size(), 1U);
    EQ(f.warnings()[0], "Your mailbox is 95% full");
    f.keeper->take(f.order({}, {}));
    f.put(10);
    EQ(f.warnings().size(), 1U);
}
END_TEST

TEST(a_warning_is_a_whole_message_in_the_words_of_the_template)
{
    Fixture f;
    auto order = f.order(100'000, {});
    order.warning_template = "From: Post <post@$domain>\nSubject: $percent% of $limit\n\nVoll: $account\n";
    f.keeper->take(std::move(order));
    f.put(6, 10'000);
    const auto& entry = test::mailbox(*f.store, "INBOX").entries.back();
    std::string text = f.store->read_content(entry).take();
    THAT(text.starts_with("Return-Path: <>\r\n"));
    ck_assert_msg(text.find("\r\nFrom: Post <post@example.org>\r\nSubject: 60% of 97.6 KB\r\n") != text.npos, "%s",
                  text.c_str());
    THAT(text.find("\r\nAuto-Submitted: auto-generated\r\n") != text.npos);
    THAT(text.ends_with("\r\n\r\nVoll: user@example.org\r\n"));
}
END_TEST

TEST(usher_hears_when_less_is_left_and_at_once_when_it_is_more)
{
    Fixture f;
    f.keeper->take(f.order(100'000, {}, true));
    f.keeper->turn();
    EQ(f.told()->bytes, 0U);
    f.put(1, 10'000);   // 90000 are left: about as many
    THAT(!f.told());
    f.put(1, 10'000);
    EQ(f.told()->bytes, 20'000U);
    f.remove(1, 1);
    EQ(f.told()->bytes, 10'000U);
    f.put(9, 10'000);
    EQ(f.told()->bytes >= 100'000U, true);
    THAT(!f.told());
    // When it is asked, exactly.
    f.remove(2, 3);
    EQ(f.told().has_value(), true);
    f.put(1, 10);
    THAT(!f.told());
    OK(f.usher.send(ipc::UsageAsked{}));
    f.loop.run_for(std::chrono::milliseconds(20));
    f.keeper->turn();
    EQ(f.told()->bytes, f.store->usage().bytes);
}
END_TEST

TEST(what_a_domain_has_no_room_for_is_refused)
{
    Fixture f;
    auto order = f.order({}, {}, true);
    order.shared = true;
    f.keeper->take(std::move(order));
    f.keeper->turn();
    // Usher's place, in another process, as the mailbox waits: it answers by size.
    pid_t child = ::fork();
    if (child == 0) {
        for (;;) {
            auto packet = f.usher.receive();
            if (!packet.ok())
                ::_exit(0);
            auto wanted = ipc::decode<ipc::RoomWanted>(*packet);
            if (!wanted.ok())
                continue;
            (void)f.usher.send(ipc::UsageAsked{});   // in between
            (void)f.usher.send(ipc::RoomAnswer{.request = wanted->request,
                                               .room = wanted->bytes == 100   ? ipc::Room::Granted
                                                       : wanted->bytes == 200 ? ipc::Room::Full
                                                                              : ipc::Room::Unknown});
        }
    }
    f.usher.close();
    store::Rendered texts = rendered("x");
    auto put = [&](std::size_t size) {
        std::string content = text_of("x", size);
        store::NewMessage message;
        message.content = content;
        message.rendered = &texts;
        return f.store->append(id_of(*f.store, "INBOX"), message);
    };
    OK(put(100));
    EQ(put(200).error().code, EDQUOT);
    EQ(put(300).error().kind, util::Kind::Temporary);
    OK(put(100));
    EQ(f.store->usage().messages, 2U);
    // Usher is gone: nothing grows for now.
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EQ(put(100).error().kind, util::Kind::Temporary);
    EQ(put(100).error().code == EDQUOT, false);
    // A domain without limits.
    f.keeper->take(f.order({}, {}));
    OK(put(200));
}
END_TEST

SUITE(mailbox_quota, each_threshold_is_told_once_each_time_that_it_is_passed,
      a_warning_that_passes_the_next_threshold_itself_tells_of_it_and_no_more,
      what_was_passed_before_is_not_told_again_but_a_lower_limit_is,
      a_warning_is_a_whole_message_in_the_words_of_the_template,
      usher_hears_when_less_is_left_and_at_once_when_it_is_more, what_a_domain_has_no_room_for_is_refused)

}  // namespace
