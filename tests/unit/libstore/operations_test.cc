// What a store does, and that a reopened store shows the same.
#include "libstore/transfer_space.h"
#include "tests/unit/libstore/fixture.h"
#include "tests/unit/no_descriptors.h"

#include "libstore/format.h"
#include "libutil/time.h"

#include <cerrno>
#include <poll.h>

namespace {

using namespace test;
using store::FlagOperation;

TEST(makes_inbox_and_the_default_mailboxes)
{
    Directory directory;
    auto store = open(directory.path);
    EQ(store->mailboxes().size(), 6U);
    EQ(mailbox(*store, "inbox").name, "INBOX");
    THAT(mailbox(*store, "Junk").special_use == store::SpecialUse::Junk);
    THAT(mailbox(*store, "Sent").subscribed);
    EQ(store->subscriptions().size(), 6U);
    reopens_the_same(directory.path, store);
}
END_TEST

TEST(refuses_what_is_not_there_or_locked)
{
    Directory directory;
    EQ(store::Store::open(directory.beside("none"), {}).error().kind, util::Kind::NotFound);
    store::Options options;
    options.create = false;
    EQ(store::Store::open(directory.path, options).error().kind, util::Kind::NotFound);
    auto store = open(directory.path);
    EQ(store::Store::open(directory.path, {}).error().kind, util::Kind::Temporary);
}
END_TEST

TEST(appends_and_reads_back)
{
    Directory directory;
    auto store = open(directory.path);
    std::vector<store::MailboxId> told;
    store->on_change([&](store::MailboxId id) { told.push_back(id); });
    auto first = add(*store, "INBOX", "one", store::Seen, {"$Label1", "Work"});
    auto second = add(*store, "INBOX", "two");
    EQ(first.uid, 1U);
    EQ(second.uid, 2U);
    THAT(second.lsn > first.lsn);
    EQ(told.size(), 2U);
    EQ(told[0], id_of(*store, "INBOX"));
    const auto& inbox = mailbox(*store, "INBOX");
    EQ(inbox.unseen, 1U);
    EQ(inbox.keywords.size(), 2U);
    EQ(inbox.entries[0].keywords, 3U);
    EQ(*store->read_content(inbox.entries[0]), text_of("one"));
    THAT(store->durable() < second.lsn);
    OK(store->sync());
    THAT(store->durable() >= second.lsn);
    EQ(*store->read_content(inbox.entries[1]), text_of("two"));
    EQ(*store->read_content(inbox.entries[1], 9, 3), "two");
    EQ(*store->read_content(inbox.entries[1], 500, 3), "");
    EQ(store->read_rendered(inbox.entries[1])->preview, "preview two");
    EQ(store->read_rendered(inbox.entries[1])->sent_seconds, 77);
    reopens_the_same(directory.path, store);
}
END_TEST

TEST(is_durable_after_an_event)
{
    Directory directory;
    auto store = open(directory.path);
    auto stored = add(*store, "INBOX", "one");
    store->flush(false);
    while (store->durable() < stored.lsn) {
        pollfd poll{.fd = store->event_fd(), .events = POLLIN, .revents = 0};
        EQ(::poll(&poll, 1, 10'000), 1);
        OK(store->collect());
    }
    EQ(store->visible(), store->last());
}
END_TEST

TEST(keeps_large_messages_in_files)
{
    Directory directory;
    store::Options options;
    options.large_message = 1000;
    auto store = open(directory.path, options);
    add(*store, "INBOX", "small", 0, {}, 1000);
    add(*store, "INBOX", "large", 0, {}, 200'001);
    const auto& inbox = mailbox(*store, "INBOX");
    EQ(*store->read_content(inbox.entries[1]), text_of("large", 200'001));
    EQ(*store->read_content(inbox.entries[1], 65'530, 20), text_of("large", 200'001).substr(65'530, 20));
    EQ(*store->read_content(inbox.entries[1], 131'072, 100'000), text_of("large", 200'001).substr(131'072));
    std::string out = "before ";
    OK(store->append_content(inbox.entries[1], 65'530, 20, out));
    EQ(out, "before " + text_of("large", 200'001).substr(65'530, 20));
    store->release_memory();
    EQ(*store->read_content(inbox.entries[1], 0, 20), text_of("large", 200'001).substr(0, 20));
    auto bodies = util::sys::open(directory.path + "/bodies", O_RDONLY | O_DIRECTORY);
    EQ(util::sys::list_directory(bodies->get())->size(), 1U);
    reopens_the_same(directory.path, store);
}
END_TEST

TEST(appends_all_or_none)
{
    Directory directory;
    auto store = open(directory.path);
    store::Rendered texts = rendered("x");
    std::vector<store::NewMessage> messages(3);
    for (auto& message : messages) {
        message.content = "abc";
        message.rendered = &texts;
    }
    messages[2].rendered = nullptr;
    EQ(store->append_all(id_of(*store, "INBOX"), messages).error().kind, util::Kind::Invalid);
    EQ(mailbox(*store, "INBOX").entries.size(), 0U);
    messages[2].rendered = &texts;
    auto stored = store->append_all(id_of(*store, "INBOX"), messages);
    OK(stored);
    EQ(stored->size(), 3U);
    EQ((*stored)[2].uid, 3U);
    reopens_the_same(directory.path, store);
}
END_TEST

TEST(answers_a_second_delivery_without_a_second_copy)
{
    Directory directory;
    auto store = open(directory.path);
    store::Rendered texts = rendered("x");
    store::NewMessage message;
    message.content = "abc";
    message.rendered = &texts;
    message.queue_id = "Q1";
    message.recipient = "a@b";
    auto first = store->append(id_of(*store, "INBOX"), message);
    OK(first);
    THAT(!first->duplicate);
    auto second = store->append(id_of(*store, "INBOX"), message);
    THAT(second->duplicate);
    EQ(second->lsn, first->lsn);
    message.recipient = "c@b";
    THAT(!store->append(id_of(*store, "INBOX"), message)->duplicate);
    store = nullptr;
    store = open(directory.path);
    auto third = store->append(id_of(*store, "INBOX"), message);
    THAT(third->duplicate);
    EQ(mailbox(*store, "INBOX").entries.size(), 2U);
}
END_TEST

TEST(copies_and_moves_references)
{
    Directory directory;
    auto store = open(directory.path);
    add(*store, "INBOX", "one", 0, {"a"});
    add(*store, "INBOX", "two", store::Seen, {"b"});
    add(*store, "INBOX", "three");
    add(*store, "Archive", "zero", 0, {"b"});
    store::MailboxId inbox = id_of(*store, "INBOX");
    store::MailboxId archive = id_of(*store, "Archive");
    std::vector<std::uint32_t> uids = {3, 1, 1, 77};
    auto copied = store->copy(inbox, uids, archive);
    OK(copied);
    THAT(copied->source == std::vector<std::uint32_t>({1, 3}));
    THAT(copied->target == std::vector<std::uint32_t>({2, 3}));
    EQ(copied->uid_validity, mailbox(*store, "Archive").uid_validity);
    const auto& box = mailbox(*store, "Archive");
    EQ(*store->read_content(box.entries[1]), text_of("one"));
    EQ(box.entries[1].keywords, 2U);  // "b" is bit 0 there, "a" came second
    std::vector<std::uint32_t> two = {2};
    auto moved = store->move(inbox, two, archive);
    OK(moved);
    EQ(mailbox(*store, "INBOX").entries.size(), 2U);
    EQ(box.entries[3].keywords, 1U);
    EQ(box.entries[3].flags, store::Seen);
    auto same = store->move(archive, two, archive);
    EQ(same->target[0], 5U);
    THAT(!box.find(2));
    EQ(store->copy(inbox, two, 999).error().kind, util::Kind::NotFound);
    EQ(store->copy(inbox, two, archive)->source.size(), 0U);
    reopens_the_same(directory.path, store);
}
END_TEST

// Memory that was got before makes no difference, be it too little for what the target has become, or never used.
TEST(copies_with_memory_that_was_got_before)
{
    for (std::size_t there : {0U, 3U}) {
        for (std::size_t expected : {1U, 10U, 1000U}) {
            Directory directory;
            auto store = open(directory.path);
            std::vector<std::uint32_t> uids;
            for (std::uint32_t i = 1; i <= 10; ++i) {
                add(*store, "INBOX", util::concat("m", i), i % 2 ? store::Seen : 0, {util::concat("k", i % 3)});
                uids.push_back(i);
            }
            OK(store->sync());
            for (std::size_t i = 0; i < there; ++i)
                add(*store, "Archive", "there");   // waits to be written
            store::MailboxId inbox = id_of(*store, "INBOX");
            auto place = store->transfer_place();
            std::optional<store::TransferSpace> space(std::in_place, place, expected, there);
            THAT(space->begin());
            std::size_t slices = 1;
            while (!space->prepare(100))
                ++slices;
            THAT(slices >= expected / 100);
            store::TransferSpace other(place, 10, there + 10);
            THAT(!other.begin());   // one at a time
            auto copied = store->copy(inbox, uids, id_of(*store, "Archive"), &*space);
            OK(copied);
            space.reset();
            THAT(other.begin());
            EQ(copied->target.size(), 10U);
            EQ(copied->target[0], there + 1);
            EQ(*store->read_content(mailbox(*store, "Archive").entries[there + 9]), text_of("m10"));
            OK(store->move(inbox, std::span(uids).first(4), inbox, &other));   // nothing was prepared
            EQ(mailbox(*store, "INBOX").entries.size(), 10U);
            store::TransferSpace unused(place, 10, 10);
            EQ(store->copy(inbox, uids, 999, &unused).error().kind, util::Kind::NotFound);
            EQ(store->usage().messages, 20 + there);
            reopens_the_same(directory.path, store);
        }
    }
}
END_TEST

TEST(changes_flags)
{
    Directory directory;
    auto store = open(directory.path);
    for (int i = 0; i < 5; ++i)
        add(*store, "INBOX", "m");
    store::MailboxId inbox = id_of(*store, "INBOX");
    const auto& box = mailbox(*store, "INBOX");
    std::vector<std::uint32_t> all = {1, 2, 3, 4, 5};
    std::vector<std::uint32_t> some = {2, 3};
    store::Lsn before = store->last();
    auto added = store->change_flags(inbox, some, {FlagOperation::Add, store::Seen, {"X"}, {}});
    OK(added);
    EQ(box.unseen, 3U);
    EQ(box.entries[1].modseq, added->lsn);
    EQ(box.entries[0].flags, 0U);
    auto guarded = store->change_flags(inbox, all, {FlagOperation::Add, store::Deleted, {}, before});
    THAT(guarded->modified == some);
    EQ(box.deleted, 3U);
    auto same = store->change_flags(inbox, some, {FlagOperation::Add, store::Seen, {"x"}, {}});
    EQ(same->lsn, 0U);
    OK(store->change_flags(inbox, all, {FlagOperation::Remove, store::Deleted, {"x", "unknown"}, {}}));
    EQ(box.deleted, 0U);
    EQ(box.entries[1].keywords, 0U);
    EQ(box.keywords.size(), 1U);
    OK(store->change_flags(inbox, all, {FlagOperation::Replace, store::Flagged, {"Y"}, {}}));
    EQ(box.unseen, 5U);
    EQ(box.entries[4].keywords, 2U);
    reopens_the_same(directory.path, store);
}
END_TEST

TEST(limits_keywords)
{
    Directory directory;
    auto store = open(directory.path);
    add(*store, "INBOX", "m");
    std::vector<std::uint32_t> one = {1};
    store::MailboxId inbox = id_of(*store, "INBOX");
    std::vector<std::string> names;
    for (int i = 0; i < 64; ++i)
        names.push_back(util::concat("k", i));
    OK(store->change_flags(inbox, one, {FlagOperation::Add, 0, names, {}}));
    EQ(mailbox(*store, "INBOX").entries[0].keywords, UINT64_MAX);
    EQ(store->change_flags(inbox, one, {FlagOperation::Add, 0, {"more"}, {}}).error().kind,
       util::Kind::Permanent);
    EQ(store->change_flags(inbox, one, {FlagOperation::Add, 0, {std::string(129, 'x')}, {}}).error().kind,
       util::Kind::Invalid);
    OK(store->change_flags(inbox, one, {FlagOperation::Add, 0, {"K1"}, {}}));
}
END_TEST

TEST(expunges_and_remembers)
{
    Directory directory;
    auto store = open(directory.path);
    for (int i = 0; i < 6; ++i)
        add(*store, "INBOX", "m");
    store::MailboxId inbox = id_of(*store, "INBOX");
    const auto& box = mailbox(*store, "INBOX");
    store::Lsn before = store->last();
    std::vector<std::uint32_t> some = {2, 3, 6, 9};
    auto lsn = store->expunge(inbox, some);
    OK(lsn);
    EQ(box.entries.size(), 3U);
    EQ(box.uid_next, 7U);
    EQ(box.highest_modseq, *lsn);
    THAT(*store->expunged_since(inbox, before) == std::vector<std::uint32_t>({2, 3, 6}));
    THAT(store->expunged_since(inbox, *lsn)->empty());
    OK(store->expunge(inbox, some));
    reopens_the_same(directory.path, store);
    EQ(add(*store, "INBOX", "new").uid, 7U);
}
END_TEST

TEST(tells_history)
{
    Directory directory;
    auto store = open(directory.path);
    const auto& box = mailbox(*store, "INBOX");
    store::Lsn start = store->last();
    THAT(box.changes_from <= start);
    add(*store, "INBOX", "a");
    std::vector<std::uint32_t> one = {1};
    OK(store->change_flags(box.id, one, {FlagOperation::Add, store::Seen, {"k"}, {}}));
    OK(store->expunge(box.id, one));
    using Kind = store::Change::Kind;
    std::vector<Kind> kinds;
    for (const auto& change : box.changes)
        kinds.push_back(change.kind);
    THAT(kinds == std::vector<Kind>({Kind::Arrived, Kind::KeywordsAdded, Kind::FlagsChanged, Kind::Expunged}));
    for (std::uint32_t i = 0; i < 10'000; ++i)
        add(*store, "INBOX", "a", 0, {}, 20);
    THAT(box.changes.size() <= 8192);
    THAT(box.changes_from > start);
    THAT(box.changes.front().lsn > box.changes_from);
}
END_TEST

TEST(creates_renames_and_removes_mailboxes)
{
    Directory directory;
    auto store = open(directory.path);
    OK(store->create_mailbox("a/b/c", store::SpecialUse::None));
    THAT(store->mailboxes().contains("a/b"));
    EQ(store->create_mailbox("a/b", store::SpecialUse::None).error().code, EEXIST);
    EQ(store->create_mailbox("inbox", store::SpecialUse::None).error().code, EEXIST);
    add(*store, "a/b/c", "m");
    auto validity = mailbox(*store, "a/b/c").uid_validity;
    auto id = id_of(*store, "a/b/c");
    OK(store->rename_mailbox("a/b", "x/y"));
    EQ(mailbox(*store, "x/y/c").uid_validity, validity);
    EQ(id_of(*store, "x/y/c"), id);
    THAT(store->mailboxes().contains("a"));
    THAT(!store->mailboxes().contains("a/b"));
    EQ(store->rename_mailbox("x", "x/z").error().kind, util::Kind::Invalid);
    EQ(store->rename_mailbox("x", "a").error().code, EEXIST);
    EQ(store->rename_mailbox("nope", "b").error().kind, util::Kind::NotFound);
    EQ(store->remove_mailbox("x").error().kind, util::Kind::Permanent);
    EQ(store->remove_mailbox("INBOX").error().kind, util::Kind::Permanent);
    OK(store->remove_mailbox("x/y/c"));
    EQ(store->mailbox(id).error().kind, util::Kind::NotFound);
    OK(store->create_mailbox("x/y/c", store::SpecialUse::None));
    THAT(mailbox(*store, "x/y/c").uid_validity > validity);
    OK(store->set_special_use("x", store::SpecialUse::Flagged));
    reopens_the_same(directory.path, store);
}
END_TEST

TEST(renaming_inbox_moves_its_messages)
{
    Directory directory;
    auto store = open(directory.path);
    OK(store->create_mailbox("INBOX/sub", store::SpecialUse::None));
    add(*store, "INBOX", "one");
    add(*store, "INBOX", "two");
    auto id = id_of(*store, "INBOX");
    OK(store->rename_mailbox("inbox", "Old"));
    EQ(id_of(*store, "INBOX"), id);
    EQ(mailbox(*store, "INBOX").entries.size(), 0U);
    EQ(mailbox(*store, "Old").entries.size(), 2U);
    THAT(store->mailboxes().contains("INBOX/sub"));
    reopens_the_same(directory.path, store);
}
END_TEST

TEST(refuses_bad_mailbox_names)
{
    Directory directory;
    auto store = open(directory.path);
    std::string deep = "a";
    for (int i = 0; i < 50; ++i)
        deep += "/a";
    std::string deepest = deep.substr(2);
    for (const std::string& name : {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"),
                                    std::string("a\x01"), std::string("\xff"), std::string(1001, 'a'), deep})
        EQ(store->create_mailbox(name, store::SpecialUse::None).error().kind, util::Kind::Invalid);
    OK(store->create_mailbox(deepest, store::SpecialUse::None));
    OK(store->create_mailbox(std::string(1000, 'a'), store::SpecialUse::None));
    OK(store->create_mailbox("inbox/x", store::SpecialUse::None));
    THAT(store->mailboxes().contains("INBOX/x"));
}
END_TEST

TEST(subscriptions_outlive_mailboxes)
{
    Directory directory;
    auto store = open(directory.path);
    OK(store->create_mailbox("a", store::SpecialUse::None));
    OK(store->subscribe("a", true));
    OK(store->subscribe("not/there", true));
    THAT(mailbox(*store, "a").subscribed);
    OK(store->remove_mailbox("a"));
    OK(store->create_mailbox("a", store::SpecialUse::None));
    THAT(mailbox(*store, "a").subscribed);
    OK(store->subscribe("a", false));
    THAT(!mailbox(*store, "a").subscribed);
    reopens_the_same(directory.path, store);
}
END_TEST

TEST(keeps_to_the_quota)
{
    Directory directory;
    store::Options options;
    options.quota_bytes = 500;
    auto store = open(directory.path, options);
    add(*store, "INBOX", "a");
    add(*store, "INBOX", "b", 0, {}, 300);
    store::Rendered texts = rendered("x");
    store::NewMessage message;
    message.content = "a";
    message.rendered = &texts;
    auto refused = store->append(id_of(*store, "INBOX"), message);
    EQ(refused.error().code, EDQUOT);
    EQ(refused.error().kind, util::Kind::Permanent);
    std::vector<std::uint32_t> one = {1};
    EQ(store->copy(id_of(*store, "INBOX"), one, id_of(*store, "Sent")).error().code, EDQUOT);
    OK(store->move(id_of(*store, "INBOX"), one, id_of(*store, "Sent")));
    OK(store->expunge(id_of(*store, "Sent"), one));
    OK(store->append(id_of(*store, "INBOX"), message));
    EQ(store->usage().bytes, 301U);
    EQ(store->usage().messages, 2U);
}
END_TEST

TEST(shows_flag_changes_before_they_are_synced_but_nothing_else)
{
    Directory directory;
    auto store = open(directory.path);
    add(*store, "INBOX", "a");
    OK(store->sync());
    auto inbox = id_of(*store, "INBOX");
    std::vector<std::uint32_t> one = {1};
    auto changed = store->change_flags(inbox, one, {FlagOperation::Add, store::Seen, {}, {}});
    THAT(store->durable() < changed->lsn);
    THAT(store->visible() >= changed->lsn);
    THAT(store->next_flush().has_value());
    auto arrived = add(*store, "INBOX", "b");
    THAT(store->visible() < arrived.lsn);
    THAT(store->visible() >= changed->lsn);
    OK(store->sync());
    EQ(store->visible(), store->last());
    THAT(!store->next_flush().has_value());
    // Nor the first of several.
    store::Rendered texts = rendered("c");
    store::NewMessage message;
    std::string text = text_of("c");
    message.content = text;
    message.rendered = &texts;
    std::vector<store::NewMessage> both = {message, message};
    auto stored = store->append_all(inbox, both);
    OK(stored);
    THAT(store->visible() < stored->front().lsn);
}
END_TEST

TEST(claims_recent)
{
    Directory directory;
    auto store = open(directory.path);
    add(*store, "INBOX", "a");
    store->claim_recent(id_of(*store, "INBOX"));
    EQ(mailbox(*store, "INBOX").first_recent_uid, 2U);
    reopens_the_same(directory.path, store);
}
END_TEST

TEST(adopts_an_identity)
{
    Directory directory;
    auto store = open(directory.path);
    auto inbox = id_of(*store, "INBOX");
    OK(store->adopt_identity(inbox, 4242, 1));
    store::Rendered texts = rendered("x");
    store::NewMessage message;
    message.content = "abc";
    message.rendered = &texts;
    message.uid = 17;
    EQ(store->append(inbox, message)->uid, 17U);
    message.uid = 16;
    EQ(store->append(inbox, message).error().kind, util::Kind::Invalid);
    message.uid = 0;
    EQ(store->append(inbox, message)->uid, 18U);
    OK(store->adopt_identity(inbox, 4242, 99));
    EQ(store->adopt_identity(inbox, 4243, 99).error().kind, util::Kind::Invalid);
    reopens_the_same(directory.path, store);
    EQ(mailbox(*store, "INBOX").uid_validity, 4242U);
    EQ(store->append(inbox, message)->uid, 99U);
}
END_TEST

TEST(without_descriptors_refuses_for_now_and_never_fails_to_sync)
{
    Directory directory;
    store::Options options;
    options.large_message = 1000;
    options.segment_size = 64U << 10;
    auto store = open(directory.path, options);
    add(*store, "INBOX", "first", 0, {}, 5000);
    OK(store->sync());
    store::Rendered shape = rendered("x");
    std::string content = text_of("large", 5000);
    store::NewMessage message{.content = content, .rendered = &shape};
    auto inbox = mailbox(*store, "INBOX").id;
    {
        NoDescriptors shortage;
        auto refused = store->append(inbox, message);
        EQ(refused.error().kind, util::Kind::Temporary);
        EQ(refused.error().code, EMFILE);
        EQ(store->read_content(mailbox(*store, "INBOX").entries[0]).error().kind, util::Kind::Temporary);
    }
    {
        // Enough for the message's file, which stays open until it is synced, and for nothing else.
        NoDescriptors shortage;
        shortage.leave_one();
        OK(store->append(inbox, message));
        OK(store->sync());
        // Small ones fill the segment until the next cannot be begun.
        std::string small(900, 's');
        store::NewMessage more{.content = small, .rendered = &shape};
        NoDescriptors none;
        std::size_t count = 0;
        auto stored = store->append(inbox, more);
        for (; stored.ok() && count < 1000; ++count)
            stored = store->append(inbox, more);
        EQ(stored.error().kind, util::Kind::Temporary);
        THAT(count > 10 && count < 1000);
        OK(store->sync());
    }
    OK(store->append(inbox, message));
    OK(store->sync());
    EQ(*store->read_content(mailbox(*store, "INBOX").entries[0]), text_of("first", 5000));
    reopens_the_same(directory.path, store);
}
END_TEST

// Who reads a mailbox from turn to turn may hear late that it is gone.
TEST(a_share_of_a_mailbox_outlives_it)
{
    Directory directory;
    auto store = open(directory.path);
    OK(store->create_mailbox("X", store::SpecialUse::None));
    auto id = id_of(*store, "X");
    add(*store, "X", "one", store::Seen, {"Work"});
    add(*store, "X", "two");
    auto share = store->share(id);
    OK(share);
    const store::Mailbox* there = *store->mailbox(id);
    THAT(share->get() == there);
    OK(store->rename_mailbox("X", "Y", nullptr));
    EQ((*share)->name, "Y");
    // It shows what happens until then, the end among it.
    store::FlagChange flagged{.flags = store::Flagged};
    const std::uint32_t both[] = {1, 2};
    OK(store->change_flags(id, both, flagged));
    THAT((*share)->entries[1].flags & store::Flagged);
    auto removed = store->remove_mailbox("Y");
    OK(removed);
    EQ(share->use_count(), 1);
    EQ((*share)->entries.size(), 0U);
    EQ((*share)->changes.back().lsn, *removed);
    THAT((*share)->changes.back().kind == store::Change::Kind::Expunged);
    EQ((*share)->name, "Y");
    EQ((*share)->keywords.size(), 1U);
    // Nothing is written to it any more.
    EQ(store->share(id).error().kind, util::Kind::NotFound);
    EQ(store->facts(id).error().kind, util::Kind::NotFound);
    EQ(store->change_flags(id, both, flagged).error().kind, util::Kind::NotFound);
    EQ(store->expunge(id, both).error().kind, util::Kind::NotFound);
    auto changes = (*share)->changes.size();
    auto recent = (*share)->first_recent_uid;
    store->claim_recent(id);
    OK(store->create_mailbox("Y", store::SpecialUse::None));
    add(*store, "Y", "three");
    store->claim_recent(id_of(*store, "Y"));
    EQ((*share)->changes.size(), changes);
    EQ((*share)->first_recent_uid, recent);
    reopens_the_same(directory.path, store);
}
END_TEST

// Its messages are loaded for that.
TEST(a_share_of_a_mailbox_that_was_never_loaded_is_empty_in_the_end)
{
    Directory directory;
    auto options = two_mailboxes();
    auto store = open(directory.path, options);
    add(*store, "Sent", "one");
    auto id = id_of(*store, "Sent");
    store.reset();
    options.ignore_snapshot = true;   // there will be a new one
    store = open(directory.path, options);
    store.reset();
    options.ignore_snapshot = false;
    store = open(directory.path, options);
    auto share = store->share(id);
    OK(share);
    THAT(!(*share)->loaded);
    OK(store->remove_mailbox("Sent"));
    THAT((*share)->loaded);
    EQ((*share)->message_count(), 0U);
}
END_TEST

SUITE(operations, a_share_of_a_mailbox_outlives_it,
      a_share_of_a_mailbox_that_was_never_loaded_is_empty_in_the_end, makes_inbox_and_the_default_mailboxes,
      refuses_what_is_not_there_or_locked, appends_and_reads_back,
      is_durable_after_an_event, keeps_large_messages_in_files, appends_all_or_none,
      answers_a_second_delivery_without_a_second_copy, copies_and_moves_references,
      copies_with_memory_that_was_got_before, changes_flags, limits_keywords,
      expunges_and_remembers, tells_history, creates_renames_and_removes_mailboxes, renaming_inbox_moves_its_messages,
      refuses_bad_mailbox_names, subscriptions_outlive_mailboxes, keeps_to_the_quota,
      shows_flag_changes_before_they_are_synced_but_nothing_else, claims_recent, adopts_an_identity,
      without_descriptors_refuses_for_now_and_never_fails_to_sync)

}  // namespace
