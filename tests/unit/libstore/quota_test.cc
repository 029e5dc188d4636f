// Limits of stores and mailboxes, at their edges, and what is remarked of a store when it is closed.
#include "libstore/format.h"
#include "libstore/usage_file.h"
#include "tests/unit/libstore/fixture.h"

#include <unistd.h>

#include <cerrno>

namespace {

using namespace test;

util::Result<store::Stored> try_add(store::Store& store, std::string_view where, std::size_t size,
                                    std::string_view queue_id = {}, bool beyond = false)
{
    static const store::Rendered texts = rendered("x");
    std::string content = text_of("x", size);
    store::NewMessage message;
    message.content = content;
    message.rendered = &texts;
    message.queue_id = queue_id;
    message.recipient = "a@b";
    message.beyond_quota = beyond;
    return store.append(id_of(store, where), message);
}

constexpr std::uint32_t first_uid[] = {1};

TEST(a_mailbox_may_hold_exactly_its_limits)
{
    Directory directory;
    auto store = open(directory.path);
    store->set_quota({.limits = {.bytes = 500, .messages = 3}});
    OK(try_add(*store, "INBOX", 200));
    OK(try_add(*store, "Archive", 299));
    EQ(try_add(*store, "INBOX", 2).error().code, EDQUOT);
    OK(try_add(*store, "INBOX", 1));
    EQ(store->usage().bytes, 500U);
    EQ(try_add(*store, "INBOX", 0).error().code, EDQUOT);   // the number
    store->set_quota({.limits = {.bytes = 500}});
    OK(try_add(*store, "INBOX", 0));
    EQ(try_add(*store, "INBOX", 1).error().kind, util::Kind::Permanent);
    // A limit below what is there takes nothing away.
    store->set_quota({.limits = {.bytes = 0, .messages = 0}});
    EQ(try_add(*store, "INBOX", 0).error().code, EDQUOT);
    EQ(store->usage().messages, 4U);
    store->set_quota({});
    OK(try_add(*store, "INBOX", 5000));
}
END_TEST

TEST(deliveries_have_grace_and_copies_into_trash_have_room)
{
    Directory directory;
    auto store = open(directory.path);
    store->set_quota({.limits = {.bytes = 1000, .messages = 10}, .grace_percent = 10, .trash_percent = 50});
    OK(try_add(*store, "INBOX", 1000));
    EQ(try_add(*store, "INBOX", 1).error().code, EDQUOT);
    OK(try_add(*store, "INBOX", 100, "Q1"));
    EQ(try_add(*store, "INBOX", 1, "Q2").error().code, EDQUOT);
    // A second delivery of what is there is answered as the first.
    THAT(try_add(*store, "INBOX", 100, "Q1")->duplicate);
    std::uint32_t second[] = {2};
    EQ(store->copy(id_of(*store, "INBOX"), second, id_of(*store, "Archive")).error().code, EDQUOT);
    for (int i = 0; i < 4; ++i)
        OK(store->copy(id_of(*store, "INBOX"), second, id_of(*store, "Trash")));
    EQ(store->usage().bytes, 1500U);
    EQ(store->copy(id_of(*store, "INBOX"), second, id_of(*store, "Trash")).error().code, EDQUOT);
    // What the system has to say is always stored.
    OK(try_add(*store, "INBOX", 300, {}, true));
}
END_TEST

TEST(limits_of_one_mailbox_hold_for_all_that_comes_in)
{
    Directory directory;
    auto store = open(directory.path);
    auto archive = id_of(*store, "Archive");
    auto inbox = id_of(*store, "INBOX");
    OK(store->limit_mailbox(archive, {.bytes = 300, .messages = 2}, false));
    add(*store, "INBOX", "a", 0, {}, 200);
    add(*store, "INBOX", "b", 0, {}, 100);
    add(*store, "INBOX", "c", 0, {}, 1);
    OK(store->copy(inbox, first_uid, archive));
    std::uint32_t both[] = {2, 3};
    EQ(store->move(inbox, both, archive).error().code, EDQUOT);
    EQ(mailbox(*store, "INBOX").entries.size(), 3U);
    std::uint32_t second[] = {2};
    OK(store->move(inbox, second, archive));
    std::uint32_t third[] = {3};
    EQ(store->copy(inbox, third, archive).error().code, EDQUOT);
    // Within it nothing grows; and what is deleted can be put back only while there is room.
    OK(store->move(archive, first_uid, archive));
    OK(store->expunge(archive, second));
    EQ(mailbox(*store, "Archive").entries.size(), 1U);
    OK(store->copy(inbox, third, archive));
    EQ(store->restore(archive, second, archive).error().code, EDQUOT);
}
END_TEST

TEST(limits_of_a_mailbox_outlive_log_snapshot_and_compaction)
{
    Directory directory;
    auto store = open(directory.path);
    auto archive = id_of(*store, "Archive");
    OK(store->limit_mailbox(archive, {.bytes = 300}, true));
    OK(store->limit_mailbox(id_of(*store, "Sent"), {.messages = 0}, false));
    OK(store->limit_mailbox(id_of(*store, "Junk"), {.messages = 5}, false));
    OK(store->limit_mailbox(id_of(*store, "Junk"), {}, false));
    auto holds = [&] {
        EQ(mailbox(*store, "Archive").limits.bytes.value(), 300U);
        THAT(!mailbox(*store, "Archive").limits.messages && mailbox(*store, "Archive").limits_fixed);
        EQ(mailbox(*store, "Sent").limits.messages.value(), 0U);
        THAT(!mailbox(*store, "Sent").limits_fixed && !mailbox(*store, "Junk").limits.any());
    };
    store.reset();
    store = open(directory.path);   // from the log, or from the snapshot that closing made
    holds();
    store::Options whole;
    whole.ignore_snapshot = true;
    store.reset();
    store = open(directory.path, whole);
    holds();
    for (int i = 0; i < 50; ++i)
        add(*store, "INBOX", "x", 0, {}, 3000);
    std::vector<std::uint32_t> all;
    for (std::uint32_t uid = 1; uid <= 50; ++uid)
        all.push_back(uid);
    OK(store->expunge(id_of(*store, "INBOX"), all));
    OK(store->purge_deleted(INT64_MAX, true));
    tidy(*store);
    holds();
    store.reset();
    store = open(directory.path);
    holds();
    store.reset();
    store = open(directory.path, whole);
    holds();
    OK(store->rename_mailbox("Archive", "Old/Archive"));
    EQ(mailbox(*store, "Old/Archive").limits.bytes.value(), 300U);
}
END_TEST

TEST(mailboxes_are_counted_with_those_above_them)
{
    Directory directory;
    auto store = open(directory.path);
    store->set_quota({.mailboxes = 8});
    EQ(store->create_mailbox("a/b/c", store::SpecialUse::None).error().code, EDQUOT);
    EQ(store->mailboxes().size(), 6U);
    OK(store->create_mailbox("a/b", store::SpecialUse::None));
    EQ(store->create_mailbox("c", store::SpecialUse::None).error().code, EDQUOT);
    EQ(store->rename_mailbox("Junk", "d/Junk").error().code, EDQUOT);
    OK(store->rename_mailbox("Junk", "a/Junk"));
    store->set_quota({.mailboxes = 1});
    OK(store->rename_mailbox("a/Junk", "Junk"));
    OK(store->remove_mailbox("Junk"));
    EQ(store->usage().mailboxes, 7U);
}
END_TEST

TEST(others_are_asked_last_and_their_word_counts)
{
    Directory directory;
    auto store = open(directory.path);
    std::vector<store::QuotaUsage> asked;
    bool permit = true;
    store->on_growth([&](const store::QuotaUsage& used, const store::QuotaUsage& more) -> util::Result<void> {
        EQ(used.bytes, store->usage().bytes);
        asked.push_back(more);
        if (!permit)
            return util::temporary("not now");
        return {};
    });
    OK(try_add(*store, "INBOX", 100));
    EQ(asked.size(), 1U);
    EQ(asked[0].bytes, 100U);
    EQ(asked[0].messages, 1U);
    OK(store->move(id_of(*store, "INBOX"), first_uid, id_of(*store, "Sent")));
    EQ(asked.size(), 1U);   // nothing grows
    permit = false;
    EQ(store->copy(id_of(*store, "Sent"), first_uid, id_of(*store, "INBOX")).error().kind, util::Kind::Temporary);
    store->set_quota({.limits = {.messages = 1}});
    EQ(try_add(*store, "INBOX", 100).error().code, EDQUOT);
    EQ(asked.size(), 2U);
    EQ(store->usage().messages, 1U);
}
END_TEST

TEST(a_closed_store_says_what_it_holds)
{
    Directory directory;
    EQ(store::read_usage(directory.beside("nobody"))->messages, 0U);
    std::string home = directory.beside("home");
    OK(util::sys::mkdir(home, 0700));
    EQ(store::read_usage(home)->bytes, 0U);
    auto store = open(home);
    THAT(!store::read_usage(home));
    add(*store, "INBOX", "a", 0, {}, 300);
    auto used = store->usage();
    store.reset();
    THAT(store::read_usage(home).value() == used);
    EQ(used.bytes, 300U);
    EQ(used.mailboxes, 6U);
    // As soon as anything is written it says nothing, also when that is not in order.
    store = open(home);
    add(*store, "INBOX", "b", 0, {}, 50);
    OK(store->sync());
    THAT(!store::read_usage(home));
    std::string crashed = directory.beside("crashed");
    copy_tree(home, crashed);
    THAT(!store::read_usage(crashed));
    open(crashed).reset();
    EQ(store::read_usage(crashed)->bytes, 350U);
    store.reset();
    EQ(store::read_usage(home)->bytes, 350U);
    // A store that was only looked at, and one whose log begins anew.
    open(home).reset();
    EQ(store::read_usage(home)->bytes, 350U);
    store::Options small;
    small.segment_size = 64U << 10;
    store = open(home, small);
    for (int i = 0; i < 20; ++i)
        add(*store, "INBOX", "c", 0, {}, 10'000);
    OK(store->sync());
    THAT(!store::read_usage(home));
    store.reset();
    EQ(store::read_usage(home)->bytes, 200'350U);
}
END_TEST

TEST(files_take_so_much_of_the_disk)
{
    Directory directory;
    std::string home = directory.beside("home");
    EQ(store::disk_use(home), 0U);
    OK(util::sys::mkdir(home, 0700));
    OK(util::sys::mkdir(home + "/bodies", 0700));
    auto write = [&](const std::string& name, std::size_t bytes) {
        auto fd = util::sys::open(util::concat(home, "/", name), O_WRONLY | O_CREAT | O_TRUNC);
        OK(util::sys::write_all(fd->get(), std::string(bytes, 'x')));
        OK(util::sys::fsync(fd->get()));
        return fd.take();
    };
    write("segment", 100'000);
    write("bodies/one", 200'000);
    std::uint64_t used = store::disk_use(home);
    THAT(used >= 300'000 && used < 400'000);
    // Neither another name nor a hole is more, and what lies elsewhere is not looked at.
    EQ(::link((home + "/segment").c_str(), (home + "/again").c_str()), 0);
    OK(util::sys::ftruncate(write("hole", 0).get(), 1U << 30));
    EQ(::symlink("/usr/bin/env", (home + "/link").c_str()), 0);
    THAT(store::disk_use(home) < used + 10'000);
    EQ(::symlink(home.c_str(), directory.beside("other").c_str()), 0);
    EQ(store::disk_use(directory.beside("other")), 0U);
}
END_TEST

TEST(a_remark_that_is_damaged_or_a_strangers_says_nothing)
{
    Directory directory;
    std::string home = directory.beside("home");
    open(home).reset();
    std::string path = home + "/usage";
    std::string bytes = util::sys::read_file(path, 1000).take();
    EQ(bytes.size(), store::usage_file_size);
    auto put = [&](std::string_view content) {
        auto fd = util::sys::open(path, O_WRONLY | O_CREAT | O_TRUNC);
        OK(fd);
        OK(util::sys::write_all(fd->get(), content));
    };
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        std::string other = bytes;
        other[i] = char(other[i] ^ 1);
        put(other);
        THAT(!store::read_usage(home));
        put(std::string_view(bytes).substr(0, i));
        THAT(!store::read_usage(home));
    }
    put(bytes + "x");
    THAT(!store::read_usage(home));
    put(bytes);
    THAT(store::read_usage(home).has_value());
    // No link is followed, and nobody is waited for.
    OK(util::sys::unlink(path));
    std::string elsewhere = directory.beside("elsewhere");
    put(bytes);
    OK(util::sys::rename(path, elsewhere));
    ck_assert(::symlink(elsewhere.c_str(), path.c_str()) == 0);
    THAT(!store::read_usage(home));
    OK(util::sys::unlink(path));
    ck_assert(::mkfifo(path.c_str(), 0600) == 0);
    THAT(!store::read_usage(home));
    OK(util::sys::unlink(path));
    THAT(!store::read_usage(home));
}
END_TEST

SUITE(quota, a_mailbox_may_hold_exactly_its_limits, deliveries_have_grace_and_copies_into_trash_have_room,
      limits_of_one_mailbox_hold_for_all_that_comes_in, limits_of_a_mailbox_outlive_log_snapshot_and_compaction,
      mailboxes_are_counted_with_those_above_them, others_are_asked_last_and_their_word_counts,
      a_closed_store_says_what_it_holds, files_take_so_much_of_the_disk, a_remark_that_is_damaged_or_a_strangers_says_nothing)

}  // namespace
