// Stores that are cut, damaged, or robbed of their files: nothing wrong is served, and no uid or
// modseq that was given comes to mean something else.
#include "tests/unit/libstore/fixture.h"

#include "libstore/format.h"
#include "libstore/manifest.h"

#include <algorithm>
#include <map>
#include <set>

namespace {

using namespace test;
using store::FlagOperation;

store::Options small_segments()
{
    store::Options options;
    options.default_mailboxes = {{"Sent", store::SpecialUse::Sent}};
    options.large_message = 1000;
    return options;
}

std::string file_content(const std::string& path)
{
    auto content = util::sys::read_file(path, 1U << 30);
    OK(content);
    return content.take();
}

void put_file(const std::string& path, std::string_view content)
{
    auto fd = util::sys::open(path, O_WRONLY | O_CREAT | O_TRUNC);
    OK(fd);
    OK(util::sys::write_all(fd->get(), content));
}

// What was ever given out, and what it meant.
struct Given {
    std::map<std::pair<store::MailboxId, std::uint32_t>, store::Guid> uids;
    std::map<store::Guid, std::string> texts;
    std::map<store::MailboxId, std::uint32_t> highest_uid;
    std::map<std::pair<store::MailboxId, std::uint32_t>, std::map<store::Lsn, store::Flags>> flags;
    store::Lsn last = 0;
};

void note(store::Store& store, Given& given)
{
    given.last = std::max(given.last, store.last());
    for (const auto& [name, id] : store.mailboxes()) {
        for (const auto& entry : mailbox(store, name).entries) {
            given.uids[{id, entry.uid}] = entry.guid;
            given.texts[entry.guid] = *store.read_content(entry);
            given.highest_uid[id] = std::max(given.highest_uid[id], entry.uid);
            given.flags[{id, entry.uid}][entry.modseq] = entry.flags;
        }
    }
}

// A little of everything; `given` notes what clients were shown.
void live_a_little(store::Store& store, Given& given)
{
    auto step = [&] { OK(store.sync()); note(store, given); };
    auto inbox = id_of(store, "INBOX");
    auto sent = id_of(store, "Sent");
    std::vector<std::uint32_t> one = {1};
    std::vector<std::uint32_t> two = {2};
    add(store, "INBOX", "one", store::Seen, {"k"}, 60);
    add(store, "INBOX", "two", 0, {}, 70);
    step();
    OK(store.copy(inbox, one, sent));
    OK(store.change_flags(inbox, one, {FlagOperation::Add, store::Flagged, {}, {}}));
    step();
    add(store, "INBOX", "big", 0, {}, 1200);
    OK(store.move(inbox, two, sent));
    step();
    OK(store.create_mailbox("x", store::SpecialUse::None));
    OK(store.expunge(sent, one));
    add(store, "x", "four", 0, {}, 50);
    step();
    OK(store.rename_mailbox("x", "y"));
    add(store, "INBOX", "last", 0, {}, 50);
    step();
}

// Whatever a damaged store shows is right; then it takes mail without giving anything twice.
void serves_nothing_wrong(store::Store& store, const Given& given)
{
    for (const auto& [name, id] : store.mailboxes()) {
        auto outline = store.outline(id);
        OK(outline);
        const store::Mailbox& box = mailbox(store, name);
        EQ(outline->uids.size(), box.entries.size());
        for (std::size_t i = 0; i < box.entries.size(); ++i)
            EQ(outline->uids[i], box.entries[i].uid);
        for (const auto& entry : box.entries) {
            auto known = given.uids.find({id, entry.uid});
            THAT(known != given.uids.end() && known->second == entry.guid);
            auto seen = given.flags.find({id, entry.uid})->second;
            if (auto then = seen.find(entry.modseq); then != seen.end())
                EQ(entry.flags, then->second);
            auto content = store.read_content(entry);
            if (content.ok())
                EQ(*content, given.texts.find(entry.guid)->second);
            auto texts = store.read_rendered(entry);
            if (texts.ok())
                THAT(texts->envelope.starts_with("(env "));
        }
    }
    for (const auto& [name, id] : store.mailboxes()) {
        auto before = given.highest_uid.find(id);
        auto stored = add(store, name, "new");
        if (before != given.highest_uid.end())
            THAT(stored.uid > before->second);
        THAT(stored.lsn > given.last);
    }
}

TEST(cuts_a_torn_tail_at_every_byte)
{
    Directory directory;
    Given given;
    std::string path = directory.beside("store");
    auto store = open(path, small_segments());
    OK(store->sync());
    std::string segment = "/" + store::segment_name(1);
    std::size_t start = file_content(path + segment).size();
    live_a_little(*store, given);
    std::string crashed = directory.beside("crashed");
    copy_tree(path, crashed);
    store.reset();
    std::string log = file_content(crashed + segment);
    std::string again = directory.beside("again");
    int asides = 0;
    for (std::size_t length = start; length <= log.size(); ++length) {
        copy_tree(crashed, again);
        put_file(again + segment, log.substr(0, length));
        auto opened = open(again, small_segments());
        serves_nothing_wrong(*opened, given);
        std::string before = picture(*opened);
        opened.reset();
        opened = open(again, small_segments());
        EQ(picture(*opened), before);
        asides += !files(again, "aside-").empty();
        opened.reset();
        remove_tree(again);
    }
    THAT(asides > 100);
}
END_TEST

TEST(ignores_zeros_behind_the_log)
{
    Directory directory;
    Given given;
    std::string path = directory.beside("store");
    auto store = open(path, small_segments());
    live_a_little(*store, given);
    std::string before = picture(*store);
    store.reset();
    std::string segment = path + "/" + store::segment_name(1);
    put_file(segment, file_content(segment) + std::string(5000, '\0'));
    store = open(path, small_segments());
    EQ(picture(*store), before);
    THAT(files(path, "aside-").empty());
}
END_TEST

void flips_every_byte(bool orderly, bool snapshot)
{
    Directory directory;
    Given given;
    std::string path = directory.beside("store");
    auto store = open(path, small_segments());
    live_a_little(*store, given);
    if (snapshot) {
        tidy(*store);
        OK(store->sync());
        OK(store->sync());
    }
    std::string base = directory.beside("base");
    if (orderly)
        store.reset();
    copy_tree(path, base);
    store.reset();
    std::vector<std::string> names = files(base, "segment-");
    for (const char* prefix : {"snapshot-", "manifest"})
        for (const auto& name : files(base, prefix))
            names.push_back(name);
    for (const auto& name : files(base + "/bodies", ""))
        names.push_back("bodies/" + name);
    std::string again = directory.beside("again");
    for (const auto& name : names) {
        std::string original = file_content(base + "/" + name);
        for (std::size_t at = 0; at < original.size(); ++at) {
            std::string bytes = original;
            bytes[at] = char(bytes[at] ^ (1 << at % 8));
            copy_tree(base, again);
            put_file(again + "/" + name, bytes);
            auto opened = open(again, small_segments());
            serves_nothing_wrong(*opened, given);
            opened.reset();
            remove_tree(again);
        }
    }
}

TEST(serves_nothing_wrong_whatever_byte_is_flipped)
{
    flips_every_byte(true, false);
}
END_TEST

TEST(serves_nothing_wrong_whatever_byte_is_flipped_after_a_crash)
{
    flips_every_byte(false, true);
}
END_TEST

TEST(skips_a_bad_record_with_valid_ones_behind_it)
{
    Directory directory;
    std::string path = directory.beside("store");
    auto store = open(path, small_segments());
    add(*store, "INBOX", "one");
    add(*store, "INBOX", "two");
    add(*store, "INBOX", "three");
    store.reset();
    std::string segment = path + "/" + store::segment_name(1);
    std::string log = file_content(segment);
    std::size_t at = log.find("(env two)");
    std::size_t size = log.size();
    log[at] ^= 1;
    log[at - 120] ^= 1;  // its metadata too
    put_file(segment, log);
    store = open(path, small_segments());
    const auto& box = mailbox(*store, "INBOX");
    EQ(box.entries.size(), 2U);
    EQ(box.entries[1].uid, 3U);
    EQ(*store->read_content(box.entries[1]), text_of("three"));
    THAT(file_content(segment).size() >= size);
}
END_TEST

TEST(keeps_a_message_whose_content_is_rotten_and_says_so)
{
    Directory directory;
    std::string path = directory.beside("store");
    auto store = open(path, small_segments());
    add(*store, "INBOX", "one");
    add(*store, "INBOX", "two");
    OK(store->sync());
    add(*store, "INBOX", "three");
    store.reset();
    std::string segment = path + "/" + store::segment_name(1);
    std::string log = file_content(segment);
    log[log.find("two says")] ^= 1;
    put_file(segment, log);
    store = open(path, small_segments());
    const auto& box = mailbox(*store, "INBOX");
    EQ(box.entries.size(), 3U);
    EQ(store->read_content(box.entries[1]).error().kind, util::Kind::Permanent);
    std::string out = "before";
    THAT(!store->append_content(box.entries[1], 0, UINT64_MAX, out).ok());
    EQ(out, "before");
    OK(store->append_content(box.entries[0], 0, 3, out));
    EQ(out.size(), 9U);
    OK(store->read_rendered(box.entries[1]));
    auto report = store->check();
    OK(report);
    EQ(report->problems.size(), 1U);
    EQ(report->messages, 3U);
}
END_TEST

TEST(no_message_can_pose_as_a_record)
{
    Directory directory;
    std::string path = directory.beside("store");
    auto store = open(path, small_segments());
    add(*store, "INBOX", "one");
    store.reset();
    std::string segment = path + "/" + store::segment_name(1);
    // Somebody mails the bytes of another store's log, and the record before them rots.
    Directory other;
    auto foreign = open(other.beside("store"), small_segments());
    add(*foreign, "INBOX", "evil");
    foreign.reset();
    std::string bytes = file_content(other.beside("store") + "/" + store::segment_name(1));
    store = open(path, small_segments());
    store::Rendered texts = rendered("two");
    store::NewMessage message;
    message.content = std::string_view(bytes).substr(store::segment_header_size).substr(0, 1000);
    message.rendered = &texts;
    OK(store->append(id_of(*store, "INBOX"), message));
    add(*store, "INBOX", "three");
    store.reset();
    std::string log = file_content(segment);
    log[log.find("(env two)") - 120] ^= 1;
    put_file(segment, log);
    store = open(path, small_segments());
    for (const auto& entry : mailbox(*store, "INBOX").entries)
        THAT(*store->read_content(entry) != text_of("evil"));
    EQ(mailbox(*store, "INBOX").entries.size(), 2U);
}
END_TEST

TEST(does_without_snapshot_and_manifest)
{
    Directory directory;
    Given given;
    std::string path = directory.beside("store");
    auto options = small_segments();
    options.segment_size = 64U << 10;
    auto store = open(path, options);
    live_a_little(*store, given);
    for (int i = 0; i < 400; ++i)
        add(*store, "Sent", util::concat("m", i), 0, {}, 700);
    std::string before = picture(*store);
    store.reset();
    EQ(files(path, "snapshot-").size(), 1U);
    for (const char* prefix : {"snapshot-", "manifest"}) {
        for (const auto& name : files(path, prefix))
            OK(util::sys::unlink(path + "/" + name));
        store = open(path, options);
        EQ(picture(*store), before);
        store.reset();
    }
}
END_TEST

TEST(does_without_a_stale_snapshot)
{
    Directory directory;
    std::string path = directory.beside("store");
    auto options = small_segments();
    auto store = open(path, options);
    for (int i = 0; i < 1200; ++i)
        add(*store, "INBOX", "one");
    tidy(*store);
    std::string name = files(path, "snapshot-").at(0);
    std::string old = file_content(path + "/" + name);
    for (int i = 0; i < 2000; ++i)
        add(*store, "INBOX", "more", 0, {}, 500);
    std::string before = picture(*store);
    store.reset();
    std::string newer = files(path, "snapshot-").at(0);
    THAT(newer != name);
    put_file(path + "/" + newer, old);
    store = open(path, options);
    EQ(picture(*store), before);
}
END_TEST

TEST(never_gives_modseqs_again_after_a_crash)
{
    Directory directory;
    std::string path = directory.beside("store");
    auto store = open(path, small_segments());
    add(*store, "INBOX", "one");
    OK(store->sync());
    std::string crashed = directory.beside("crashed");
    copy_tree(path, crashed);
    // Shown to clients, and lost: never handed to the disk.
    auto inbox = id_of(*store, "INBOX");
    std::vector<std::uint32_t> one = {1};
    auto changed = store->change_flags(inbox, one, {FlagOperation::Add, store::Seen, {}, {}});
    THAT(store->visible() >= changed->lsn);
    std::uint32_t uid_next = mailbox(*store, "INBOX").uid_next;
    auto again = open(crashed, small_segments());
    const auto& box = mailbox(*again, "INBOX");
    THAT(box.entries[0].modseq > changed->lsn);
    THAT(box.highest_modseq > changed->lsn);
    THAT(box.uid_next >= uid_next);
    THAT(again->visible() >= box.highest_modseq);
    auto next = again->change_flags(inbox, one, {FlagOperation::Add, store::Flagged, {}, {}});
    THAT(next->lsn > box.highest_modseq || next->lsn > changed->lsn);
}
END_TEST

TEST(an_orderly_end_keeps_modseqs)
{
    Directory directory;
    std::string path = directory.beside("store");
    auto store = open(path, small_segments());
    add(*store, "INBOX", "one");
    store::Lsn modseq = mailbox(*store, "INBOX").entries[0].modseq;
    store.reset();
    store = open(path, small_segments());
    EQ(mailbox(*store, "INBOX").entries[0].modseq, modseq);
    // Opened and closed without a change, the store does not grow.
    std::string segment = path + "/" + store::segment_name(1);
    store.reset();
    std::size_t size = file_content(segment).size();
    store = open(path, small_segments());
    store.reset();
    EQ(file_content(segment).size(), size);
}
END_TEST

TEST(half_a_group_counts_for_nothing)
{
    Directory directory;
    std::string path = directory.beside("store");
    auto store = open(path, small_segments());
    add(*store, "INBOX", "one");
    OK(store->sync());
    store::Rendered texts = rendered("x");
    std::vector<store::NewMessage> messages(3);
    for (auto& message : messages) {
        message.content = "abcdef";
        message.rendered = &texts;
    }
    OK(store->append_all(id_of(*store, "INBOX"), messages));
    OK(store->sync());
    std::string crashed = directory.beside("crashed");
    copy_tree(path, crashed);
    std::string segment = crashed + "/" + store::segment_name(1);
    std::string log = file_content(segment);
    put_file(segment, log.substr(0, log.size() - 60));
    auto again = open(crashed, small_segments());
    EQ(mailbox(*again, "INBOX").entries.size(), 1U);
}
END_TEST

TEST(removes_bodies_that_no_record_names)
{
    Directory directory;
    std::string path = directory.beside("store");
    auto store = open(path, small_segments());
    add(*store, "INBOX", "big", 0, {}, 2000);
    OK(store->sync());
    std::string crashed = directory.beside("crashed");
    copy_tree(path, crashed);
    put_file(crashed + "/bodies/00112233445566778899aabbccddeeff", "orphan");
    auto again = open(crashed, small_segments());
    EQ(files(crashed + "/bodies", "").size(), 1U);
    OK(again->read_content(mailbox(*again, "INBOX").entries[0]));
}
END_TEST

TEST(starts_anew_when_creation_was_cut)
{
    Directory directory;
    std::string path = directory.beside("store");
    OK(util::sys::mkdir(path, 0700));
    put_file(path + "/" + store::segment_name(1), std::string(100, '\0'));
    auto store = open(path, small_segments());
    EQ(store->mailboxes().size(), 2U);
    store.reset();
    store = open(path, small_segments());
    EQ(store->mailboxes().size(), 2U);
}
END_TEST

SUITE(recovery, cuts_a_torn_tail_at_every_byte, ignores_zeros_behind_the_log,
      serves_nothing_wrong_whatever_byte_is_flipped,
      serves_nothing_wrong_whatever_byte_is_flipped_after_a_crash,
      skips_a_bad_record_with_valid_ones_behind_it,
      keeps_a_message_whose_content_is_rotten_and_says_so, no_message_can_pose_as_a_record,
      does_without_snapshot_and_manifest, does_without_a_stale_snapshot,
      never_gives_modseqs_again_after_a_crash, an_orderly_end_keeps_modseqs,
      half_a_group_counts_for_nothing, removes_bodies_that_no_record_names,
      starts_anew_when_creation_was_cut)

}  // namespace
