// Annotations, and what other readers have seen: kept through everything that keeps mail.
#include "tests/unit/libstore/fixture.h"

#include "libstore/format.h"
#include "libstore/records.h"
#include "libutil/crc32c.h"

#include <bit>
#include <cerrno>

namespace {

using namespace test;

store::Lsn annotate(store::Store& store, store::MailboxId holder, std::string name, std::optional<std::string> value)
{
    std::vector<store::NewAnnotation> change = {{std::move(name), std::move(value)}};
    auto lsn = store.annotate(holder, change);
    OK(lsn);
    return *lsn;
}

std::string all(const store::Annotations& annotations)
{
    std::string out;
    for (const auto& [name, annotation] : annotations)
        util::append(out, name, "=", annotation.value, ";");
    return out;
}

std::string all(store::Store& store, std::string_view name)
{
    return all(mailbox(store, name).annotations);
}

std::uint64_t log_size(const std::string& path)
{
    std::uint64_t sum = 0;
    auto fd = util::sys::open(path, O_RDONLY | O_DIRECTORY);
    for (const auto& name : util::sys::list_directory(fd->get()).take())
        if (name.starts_with("segment-"))
            sum += std::uint64_t(util::sys::stat(util::concat(path, "/", name))->st_size);
    return sum;
}

TEST(keeps_annotations_of_mailboxes_and_of_the_account)
{
    Directory directory;
    auto store = open(directory.path, two_mailboxes());
    auto sent = id_of(*store, "Sent");
    auto first = annotate(*store, 0, "/private/a", "of the account");
    annotate(*store, sent, "/shared/comment", "one");
    auto last = annotate(*store, sent, "/shared/comment", std::string("two\0\r\n", 6));
    annotate(*store, sent, "/shared/x", "");
    THAT(last > first);
    OK(store->sync());
    THAT(store->durable() >= last);
    EQ(all(store->annotations()), "/private/a=of the account;");
    EQ(all(*store, "Sent"), std::string("/shared/comment=two\0\r\n;/shared/x=;", 34));
    reopens_the_same(directory.path, store);
    EQ(all(store->annotations()), "/private/a=of the account;");
    EQ(all(*store, "Sent"), std::string("/shared/comment=two\0\r\n;/shared/x=;", 34));
    annotate(*store, sent, "/shared/comment", std::nullopt);
    annotate(*store, 0, "/private/a", std::nullopt);
    reopens_the_same(directory.path, store);
    EQ(all(store->annotations()), "");
    EQ(all(*store, "Sent"), "/shared/x=;");
}
END_TEST

TEST(what_is_as_it_was_costs_nothing)
{
    Directory directory;
    auto store = open(directory.path, two_mailboxes());
    annotate(*store, 0, "/private/a", "b");
    OK(store->sync());
    auto last = store->last();
    annotate(*store, 0, "/private/a", "b");
    annotate(*store, 0, "/private/none", std::nullopt);
    EQ(store->last(), last);
}
END_TEST

TEST(tells_which_annotations_have_changed)
{
    Directory directory;
    auto store = open(directory.path, two_mailboxes());
    std::vector<store::MailboxId> heard;
    store->on_change([&](store::MailboxId id) { heard.push_back(id); });
    auto sent = id_of(*store, "Sent");
    auto lsn = annotate(*store, sent, "/shared/a", "1");
    EQ(heard, std::vector<store::MailboxId>{sent});
    EQ(store->annotation_changes().back().lsn, lsn);
    EQ(store->annotation_changes().back().mailbox, sent);
    EQ(store->annotation_changes().back().name, "/shared/a");
    for (int i = 0; i < 300; ++i)
        annotate(*store, 0, "/shared/b", std::to_string(i));
    EQ(store->annotation_changes().size(), 256U);
}
END_TEST

TEST(sets_all_or_none_within_the_limits)
{
    Directory directory;
    auto store = open(directory.path, two_mailboxes());
    auto refused = [&](std::vector<store::NewAnnotation> change, int code) {
        auto lsn = store->annotate(0, change);
        THAT(!lsn.ok());
        EQ(lsn.error().code, code);
        EQ(store->annotations().size(), 0U);
    };
    refused({{"/shared/a", "x"}, {"/shared/b", std::string(store::max_annotation_value + 1, 'x')}}, EFBIG);
    refused({{"/shared/a", "x"}, {std::string(store::max_annotation_name + 1, 'n'), "x"}}, 0);
    refused({{"/shared/a", "x"}, {"", "x"}}, 0);
    std::vector<store::NewAnnotation> many;
    for (std::size_t i = 0; i <= store::max_annotations; ++i)
        many.push_back({util::concat("/shared/", i), "x"});
    refused(many, E2BIG);
    many.pop_back();
    OK(store->annotate(0, many));
    EQ(store->annotations().size(), store::max_annotations);
    EQ(store->annotate(0, std::vector<store::NewAnnotation>{{"/one/more", "x"}}).error().code, E2BIG);
    annotate(*store, 0, "/shared/0", "y");
    annotate(*store, 0, "/shared/0", std::nullopt);
    annotate(*store, 0, std::string(store::max_annotation_name, 'n'), std::string(store::max_annotation_value, 'x'));
    // The store as a whole.
    auto sent = id_of(*store, "Sent");
    std::size_t room = store::max_annotation_bytes / store::max_annotation_value;
    std::size_t taken = 0;
    while (store
               ->annotate(sent, std::vector<store::NewAnnotation>{{util::concat("/big/", taken),
                                                                   std::string(store::max_annotation_value, 'x')}})
               .ok())
        ++taken;
    THAT(taken + 2 == room || taken + 1 == room);
    EQ(store->annotate(id_of(*store, "Sent") + 99, many).error().kind, util::Kind::NotFound);
}
END_TEST

TEST(annotations_follow_a_mailbox_and_end_with_it)
{
    Directory directory;
    auto store = open(directory.path, two_mailboxes());
    OK(store->create_mailbox("a", store::SpecialUse::None));
    annotate(*store, id_of(*store, "a"), "/shared/comment", "mine");
    OK(store->rename_mailbox("a", "b"));
    EQ(all(*store, "b"), "/shared/comment=mine;");
    OK(store->remove_mailbox("b"));
    OK(store->create_mailbox("b", store::SpecialUse::None));
    EQ(all(*store, "b"), "");
    // RFC 5464 §4.1: INBOX keeps its own, and the new mailbox has copies; but not of what is no annotation.
    annotate(*store, id_of(*store, "INBOX"), "/shared/comment", "in");
    annotate(*store, id_of(*store, "INBOX"), "acl", "list");
    OK(store->rename_mailbox("INBOX", "old"));
    EQ(all(*store, "INBOX"), "/shared/comment=in;acl=list;");
    EQ(all(*store, "old"), "/shared/comment=in;");
    reopens_the_same(directory.path, store);
    EQ(all(*store, "INBOX"), "/shared/comment=in;acl=list;");
    EQ(all(*store, "old"), "/shared/comment=in;");
    EQ(all(*store, "b"), "");
}
END_TEST

// Values that are overridden and names that come and go leave nothing behind.
TEST(compaction_drops_what_is_overridden)
{
    Directory directory;
    auto store = open(directory.path, two_mailboxes());
    auto sent = id_of(*store, "Sent");
    for (int i = 0; i < 60; ++i) {
        annotate(*store, sent, "/shared/comment", std::string(20'000, char('a' + i % 26)));
        annotate(*store, sent, util::concat("/shared/gone", i), "x");
        annotate(*store, sent, util::concat("/shared/gone", i), std::nullopt);
        annotate(*store, 0, "/private/note", std::to_string(i));
    }
    add(*store, "INBOX", "m");
    std::string before = all(*store, "Sent");
    OK(store->sync());
    THAT(log_size(directory.path) > 1'000'000);
    for (int i = 0; i < 3; ++i) {
        tidy(*store, 100);
        OK(store->sync());
    }
    THAT(log_size(directory.path) < 200'000);
    EQ(all(*store, "Sent"), before);
    EQ(store->check()->problems.size(), 0U);
    for (bool ignore : {false, true}) {
        store.reset();
        auto options = two_mailboxes();
        options.ignore_snapshot = ignore;
        store = open(directory.path, options);
        EQ(all(*store, "Sent"), before);
        EQ(all(store->annotations()), "/private/note=59;");
    }
    // Of a removed mailbox nothing stays.
    OK(store->create_mailbox("a", store::SpecialUse::None));
    annotate(*store, id_of(*store, "a"), "/shared/comment", std::string(60'000, 'x'));
    OK(store->remove_mailbox("a"));
    OK(store->purge_deleted(INT64_MAX, true));
    tidy(*store);
    OK(store->sync());
    THAT(log_size(directory.path) < 200'000);
    reopens_the_same(directory.path, store);
    EQ(all(*store, "Sent"), before);
}
END_TEST

std::string seen(store::Store& store, std::string_view reader, std::string_view name = "INBOX")
{
    std::string out;
    const auto& box = mailbox(store, name);
    for (const auto& entry : box.entries)
        if (box.seen_by(reader, entry.uid))
            util::append(out, entry.uid, " ");
    return out;
}

TEST(other_readers_have_seen_flags_of_their_own)
{
    Directory directory;
    auto store = open(directory.path, two_mailboxes());
    for (int i = 1; i <= 9; ++i)
        add(*store, "INBOX", util::concat("m", i));
    auto inbox = id_of(*store, "INBOX");
    auto mark = [&](std::string_view reader, std::vector<std::uint32_t> uids, bool on) {
        auto changed = store->mark_seen(inbox, reader, uids, on);
        OK(changed);
        return changed->lsn;
    };
    auto first = mark("bob", {1, 2, 3, 5, 6, 9, 77}, true);
    EQ(seen(*store, "bob"), "1 2 3 5 6 9 ");
    EQ(mailbox(*store, "INBOX").find(5)->modseq, first);
    THAT(mailbox(*store, "INBOX").find(4)->modseq < first);
    EQ(mailbox(*store, "INBOX").unseen, 9U);
    auto second = mark("bob", {2, 4, 9}, false);
    EQ(seen(*store, "bob"), "1 3 5 6 ");
    EQ(mailbox(*store, "INBOX").find(9)->modseq, second);
    THAT(mailbox(*store, "INBOX").find(4)->modseq < first);   // that was not a change
    EQ(mark("bob", {1}, true), 0U);
    mark("eve", {7}, true);
    EQ(seen(*store, "eve"), "7 ");
    EQ(seen(*store, "nobody"), "");
    reopens_the_same(directory.path, store);
    EQ(seen(*store, "bob"), "1 3 5 6 ");
    EQ(seen(*store, "eve"), "7 ");
    // Compaction keeps what is still so, and every modseq.
    for (int i = 0; i < 2000; ++i)
        mark("bob", {8}, i % 2 == 0);
    for (int i = 0; i < 30; ++i)
        add(*store, "Sent", util::concat("x", i), 0, {}, 6000);
    std::vector<std::uint32_t> uids;
    for (std::uint32_t i = 1; i <= 30; ++i)
        uids.push_back(i);
    OK(store->expunge(id_of(*store, "Sent"), uids));
    std::string before = picture(*store, false);
    OK(store->sync());
    std::uint64_t size = log_size(directory.path);
    OK(store->purge_deleted(INT64_MAX, true));
    tidy(*store);
    OK(store->sync());
    THAT(log_size(directory.path) < size / 2);
    EQ(seen(*store, "bob"), "1 3 5 6 ");
    store.reset();
    auto options = two_mailboxes();
    options.ignore_snapshot = true;
    store = open(directory.path, options);
    EQ(seen(*store, "bob"), "1 3 5 6 ");
    EQ(seen(*store, "eve"), "7 ");
    EQ(picture(*store, false), before);
}
END_TEST

TEST(a_readers_change_of_flags_is_one)
{
    Directory directory;
    std::string path = directory.beside("store");
    for (bool at_once : {false, true}) {
        auto options = two_mailboxes();
        if (at_once)
            options.flag_sync_delay = util::Duration::zero();
        auto store = open(path, options);
        for (int i = 1; i <= 4; ++i)
            add(*store, "INBOX", util::concat("m", i), i == 1 ? store::Seen : store::Flags(0), {"old"});
        auto inbox = id_of(*store, "INBOX");
        OK(store->sync());
        auto before = store->visible();
        int changes = 0;
        store->on_change([&](store::MailboxId) { ++changes; });
        store::FlagChange change{store::FlagOperation::Replace, store::Seen | store::Flagged | store::Deleted, {"new"}, {}};
        change.changeable = store::Seen | store::Flagged;
        change.reader = "bob";
        const std::vector<std::uint32_t> uids = {1, 2, 3, 77};
        auto changed = store->change_flags(inbox, uids, change);
        OK(changed);
        EQ(changes, 1);
        EQ(seen(*store, "bob"), "1 2 3 ");
        const auto& box = mailbox(*store, "INBOX");
        for (const auto& entry : box.entries) {
            EQ(entry.flags, (entry.uid == 1 ? store::Seen : 0) | (entry.uid <= 3 ? store::Flagged : 0));
            EQ(box.keywords[std::size_t(std::countr_zero(entry.keywords))], entry.uid <= 3 ? "new" : "old");
        }
        // No more of it is to be seen than all, nor before it is durable where that is waited for.
        THAT(store->visible() == (at_once ? before : changed->lsn));
        OK(store->sync());
        THAT(store->visible() >= changed->lsn);
        // What is left alone: by its modseq, by what may be changed, by what is so already.
        change.unchanged_since = before;
        changed = store->change_flags(inbox, uids, change);
        EQ(changed->modified.size(), 3U);
        EQ(changed->lsn, 0U);
        change.unchanged_since.reset();
        EQ(store->change_flags(inbox, uids, change)->lsn, 0U);
        change.flags = 0;
        change.changeable = store::Flagged;
        change.changes_keywords = false;
        OK(store->change_flags(inbox, std::vector<std::uint32_t>{2}, change));
        EQ(seen(*store, "bob"), "1 2 3 ");
        EQ(box.find(2)->flags, 0);
        EQ(box.keywords[std::size_t(std::countr_zero(box.find(2)->keywords))], "new");
        reopens_the_same(path, store);
        store.reset();
        test::remove_tree(path);
    }
}
END_TEST

TEST(a_mailbox_has_so_many_readers)
{
    Directory directory;
    auto store = open(directory.path, two_mailboxes());
    add(*store, "INBOX", "m");
    auto inbox = id_of(*store, "INBOX");
    std::vector<std::uint32_t> one = {1};
    for (std::size_t i = 0; i < store::max_readers; ++i)
        OK(store->mark_seen(inbox, util::concat("reader", i), one, true));
    THAT(!store->mark_seen(inbox, "one more", one, true).ok());
    EQ(store->mark_seen(inbox, "one more", one, true).error().code, E2BIG);
    // Who has seen nothing leaves the place to another.
    OK(store->mark_seen(inbox, "reader0", one, false));
    OK(store->mark_seen(inbox, "one more", one, true));
    THAT(!store->mark_seen(inbox, "reader0", one, true).ok());
    OK(store->forget_reader(inbox, "reader1"));
    OK(store->mark_seen(inbox, "reader0", one, true));
    THAT(!store->mark_seen(inbox, "", one, true).ok());
    THAT(!store->mark_seen(inbox, std::string(store::max_reader_name + 1, 'x'), one, true).ok());
}
END_TEST

// Uids from..to of which every second is left out.
std::vector<std::uint32_t> every_second(std::uint32_t from, std::uint32_t to)
{
    std::vector<std::uint32_t> uids;
    for (; from <= to; from += 2)
        uids.push_back(from);
    return uids;
}

TEST(what_readers_have_seen_has_limits)
{
    Directory directory;
    auto options = two_mailboxes();
    // One reader has a quarter: 24 ranges, with a name of 4 letters.
    constexpr std::uint64_t each = store::reader_bytes_fixed + 4 + 24 * store::reader_range_bytes;
    options.reader_bytes = store::reader_share * each;
    auto store = open(directory.path, options);
    for (int i = 1; i <= 60; ++i)
        add(*store, "INBOX", "m");
    OK(store->create_mailbox("Other", store::SpecialUse::None));
    add(*store, "Other", "m");
    auto inbox = id_of(*store, "INBOX");
    auto other = id_of(*store, "Other");
    auto refused = [&](store::MailboxId mailbox, std::string_view reader, std::vector<std::uint32_t> uids, bool on) {
        auto before = store->last();
        auto result = store->mark_seen(mailbox, reader, uids, on);
        return !result.ok() && result.error().code == E2BIG && store->last() == before;
    };
    auto mark = [&](std::string_view reader, std::vector<std::uint32_t> uids, bool on) {
        OK(store->mark_seen(inbox, reader, uids, on));
    };
    THAT(refused(inbox, "eve1", every_second(2, 50), true));   // 25
    mark("eve1", every_second(2, 48), true);
    // One more there, or elsewhere, is too much; what makes them no more is not, nor that they are fewer.
    THAT(refused(inbox, "eve1", {50}, true));
    THAT(refused(other, "eve1", {1}, true));
    mark("eve1", {1, 3}, true);
    mark("eve1", {50}, true);   // 1-4 is one instead of two: so there is room
    THAT(refused(inbox, "eve1", {60}, true));
    THAT(refused(inbox, "eve1", {2}, false));   // 1 and 3-4
    // What leaves room for it in the same command.
    mark("eve1", {1, 2, 3, 4}, false);
    mark("eve1", {60}, true);
    // All of them have four shares, even if each has one.
    for (std::string_view reader : {"eve2", "eve3", "eve4"})
        mark(reader, every_second(2, 48), true);
    THAT(refused(inbox, "bob1", {1}, true));
    OK(store->forget_reader(inbox, "eve3"));
    EQ(seen(*store, "eve3"), "");
    mark("bob1", {1}, true);
    reopens_the_same(directory.path, store);

    // A log that is read anew knows the same limits.
    store.reset();
    options.ignore_snapshot = true;
    store = open(directory.path, options);
    inbox = id_of(*store, "INBOX");
    other = id_of(*store, "Other");
    EQ(seen(*store, "bob1"), "1 ");
    THAT(refused(inbox, "eve2", {60}, true));
    // Where what lay between ranges is gone, they are one when there is need.
    OK(store->expunge(inbox, every_second(3, 9)));
    mark("eve2", {50, 52, 54}, true);
    mark("eve2", {56}, true);
    THAT(refused(inbox, "eve2", {60}, true));
    std::string expected;
    for (std::uint32_t uid : every_second(2, 56))
        util::append(expected, uid, " ");
    EQ(seen(*store, "eve2"), expected);
    reopens_the_same(directory.path, store);
    store.reset();
    store = open(directory.path, options);
    EQ(seen(*store, "eve2"), expected);
    THAT(refused(id_of(*store, "INBOX"), "eve2", {60}, true));
    // With a mailbox goes what was seen in it.
    OK(store->create_mailbox("Third", store::SpecialUse::None));
    OK(store->rename_mailbox("INBOX", "Old"));
    OK(store->remove_mailbox("Old"));
    for (int i = 1; i <= 60; ++i)
        add(*store, "Third", "m");
    inbox = id_of(*store, "Third");
    for (std::string_view reader : {"eve1", "eve2", "eve3", "eve4"})
        mark(reader, every_second(2, 48), true);
    THAT(refused(inbox, "bob1", {1}, true));
}
END_TEST

std::string content_of(const std::string& path)
{
    auto content = util::sys::read_file(path, 1U << 30);
    OK(content);
    return content.take();
}

void put(const std::string& path, std::string_view content)
{
    auto fd = util::sys::open(path, O_WRONLY | O_CREAT | O_TRUNC);
    OK(fd);
    OK(util::sys::write_all(fd->get(), content));
}

// Half of what was set together counts for nothing.
TEST(a_torn_change_of_several_is_none)
{
    Directory directory;
    std::string path = directory.beside("store");
    auto store = open(path, two_mailboxes());
    annotate(*store, 0, "/shared/a", "1");
    std::vector<store::NewAnnotation> both = {{"/shared/a", "2"}, {"/shared/b", "2"}};
    OK(store->annotate(0, both));
    OK(store->sync());
    std::string crashed = directory.beside("crashed");
    copy_tree(path, crashed);
    std::string segment = crashed + "/" + store::segment_name(1);
    std::string log = content_of(segment);
    put(segment, log.substr(0, log.size() - 8));
    auto again = open(crashed, two_mailboxes());
    EQ(all(again->annotations()), "/shared/a=1;");
}
END_TEST

TEST(a_torn_change_of_a_reader_is_none)
{
    Directory directory;
    std::string path = directory.beside("store");
    auto store = open(path, two_mailboxes());
    add(*store, "INBOX", "m");
    store::FlagChange change{store::FlagOperation::Add, store::Seen | store::Flagged, {}, {}};
    change.reader = "bob";
    OK(store->change_flags(id_of(*store, "INBOX"), std::vector<std::uint32_t>{1}, change));
    OK(store->sync());
    std::string crashed = directory.beside("crashed");
    copy_tree(path, crashed);
    std::string segment = crashed + "/" + store::segment_name(1);
    std::string log = content_of(segment);
    put(segment, log.substr(0, log.size() - 8));
    auto again = open(crashed, two_mailboxes());
    EQ(seen(*again, "bob"), "");
    EQ(mailbox(*again, "INBOX").find(1)->flags, 0);
    copy_tree(path, directory.beside("whole"));
    again = open(directory.beside("whole"), two_mailboxes());
    EQ(seen(*again, "bob"), "1 ");
    EQ(mailbox(*again, "INBOX").find(1)->flags, store::Flagged);
}
END_TEST

// A record of a later release is passed over, kept by compaction, and no damage; but one of the types that may not
// be passed over is.
TEST(passes_over_records_of_a_later_release)
{
    for (std::uint8_t type : {std::uint8_t(100), store::vital_type}) {
        Directory directory;
        std::string path = directory.beside("store");
        auto store = open(path, two_mailboxes());
        add(*store, "INBOX", "m");
        OK(store->sync());
        auto modseq = mailbox(*store, "INBOX").entries[0].modseq;
        auto last = store->last();
        store.reset();
        std::string segment = path + "/" + store::segment_name(1);
        std::string log = content_of(segment);
        std::uint64_t tag = 0;
        std::memcpy(&tag, log.data() + 24, sizeof tag);
        std::string meta = "what a later release says";
        store::encode_header({.lsn = last + 10,
                              .durable = last,
                              .length = std::uint32_t(store::record_header_size + meta.size()),
                              .meta_length = std::uint32_t(meta.size()),
                              .type = store::Type(type),
                              .meta_checksum = util::crc32c(meta)},
                             tag, log);
        log += meta;
        log.resize(store::padded(log.size()));
        put(segment, log);
        store = open(path, two_mailboxes());
        EQ(mailbox(*store, "INBOX").entries.size(), 1U);
        EQ(mailbox(*store, "INBOX").entries[0].modseq == modseq, type < store::vital_type);
        OK(store->purge_deleted(INT64_MAX, true));
        tidy(*store);
        store.reset();
        THAT(content_of(segment).find(meta) != std::string::npos);
    }
}
END_TEST

// The directory of a snapshot ended earlier once: then the log tells of annotations.
TEST(a_snapshot_of_an_earlier_release_is_passed_over)
{
    Directory directory;
    std::string path = directory.beside("store");
    auto store = open(path, two_mailboxes());
    annotate(*store, 0, "/shared/a", "1");
    for (int i = 0; i < 20; ++i)
        add(*store, "INBOX", util::concat("m", i));
    auto options = two_mailboxes();
    options.ignore_snapshot = true;    // so that one is made at the end
    store.reset();
    store = open(path, options);
    std::string before = picture(*store);
    store.reset();
    std::string snapshot;
    auto fd = util::sys::open(path, O_RDONLY | O_DIRECTORY);
    for (const auto& name : util::sys::list_directory(fd->get()).take())
        if (name.starts_with("snapshot-"))
            snapshot = util::concat(path, "/", name);
    THAT(!snapshot.empty());
    std::string bytes = content_of(snapshot);
    // The third part is the directory, and the last thing in the file.
    auto part = [&](std::size_t at) {
        std::uint64_t value = 0;
        std::memcpy(&value, bytes.data() + at, sizeof value);
        return value;
    };
    std::size_t place = 8 + 8 + 8 * 11 + 48;
    EQ(part(place) + part(place + 8), bytes.size());
    // Of the sections behind: outlines of two mailboxes, an annotation, and no reader.
    std::uint64_t shorter = part(place + 8) - (4 + 4 + 2 * 32) - (4 + 4 + 8 + 4 + 9 + 8 + 4 + 4 + 1 + 4 + 4);
    std::memcpy(bytes.data() + place + 8, &shorter, sizeof shorter);
    bytes.resize(part(place) + shorter);
    auto put32 = [&](std::size_t at, std::uint32_t value) { std::memcpy(bytes.data() + at, &value, sizeof value); };
    put32(place + 16, util::crc32c(std::string_view(bytes).substr(part(place))));
    put32(252, util::crc32c(std::string_view(bytes).substr(0, 252)));
    put(snapshot, bytes);
    store = open(path, two_mailboxes());
    EQ(picture(*store), before);
    EQ(all(store->annotations()), "/shared/a=1;");
    EQ(store->check()->problems.size(), 0U);
    store.reset();
    // The next one is there already.
    auto names = util::sys::list_directory(util::sys::open(path, O_RDONLY | O_DIRECTORY)->get()).take();
    int snapshots = 0;
    for (const auto& name : names)
        snapshots += name.starts_with("snapshot-") && util::concat(path, "/", name) != snapshot;
    EQ(snapshots, 1);
}
END_TEST

SUITE(annotations, keeps_annotations_of_mailboxes_and_of_the_account, what_is_as_it_was_costs_nothing,
      tells_which_annotations_have_changed, sets_all_or_none_within_the_limits,
      annotations_follow_a_mailbox_and_end_with_it, compaction_drops_what_is_overridden,
      other_readers_have_seen_flags_of_their_own, a_readers_change_of_flags_is_one, a_mailbox_has_so_many_readers,
      what_readers_have_seen_has_limits, a_torn_change_of_several_is_none, a_torn_change_of_a_reader_is_none,
      passes_over_records_of_a_later_release, a_snapshot_of_an_earlier_release_is_passed_over)

}  // namespace
