// Segments, snapshots, compaction, and what is deleted for good.
#include "tests/unit/libstore/fixture.h"

#include "libstore/format.h"
#include "libstore/manifest.h"
#include "libutil/time.h"

#include <numeric>
#include <poll.h>

namespace {

using namespace test;
using store::FlagOperation;

TEST(rotates_segments)
{
    Directory directory;
    store::Options options;
    options.segment_size = 64U << 10;
    auto store = open(directory.path, options);
    for (int i = 0; i < 100; ++i)
        add(*store, "INBOX", util::concat("m", i), 0, {}, 3000);
    std::string before = picture(*store);
    OK(store->sync());
    EQ(picture(*store), before);
    store = nullptr;
    store = open(directory.path, options);
    EQ(picture(*store), before);
    auto fd = util::sys::open(directory.path, O_RDONLY | O_DIRECTORY);
    int segments = 0;
    for (const auto& name : util::sys::list_directory(fd->get()).take())
        segments += name.starts_with("segment-");
    THAT(segments >= 5);
}
END_TEST

// Most that a burst of mail makes hold one message and are left alone.
TEST(a_new_store_waits_for_its_first_message_and_needs_no_snapshot)
{
    Directory directory;
    auto store = open(directory.path, store::Options());
    store->write_here(true);
    store->flush(false);
    OK(store->collect());
    EQ(store->durable(), 0U);
    THAT(store->next_flush().has_value());
    auto stored = add(*store, "INBOX", "first");
    store->flush(false);
    OK(store->collect());
    EQ(store->durable(), stored.lsn);
    THAT(!store->next_flush().has_value());
    tidy(*store);
    OK(store->sync());
    EQ(files(directory.path, "snapshot-").size(), 0U);
    reopens_the_same(directory.path, store);
    EQ(files(directory.path, "snapshot-").size(), 0U);
}
END_TEST

TEST(a_new_store_without_mail_is_synced_in_the_time_for_flags)
{
    Directory directory;
    store::Options options;
    options.flag_sync_delay = std::chrono::milliseconds(1);
    auto store = open(directory.path, options);
    THAT(store->durable() < store->last());
    store->flush(true);   // what the owner does at next_flush()
    OK(store->sync());
    EQ(store->durable(), store->last());
    store.reset();
    options.flag_sync_delay = util::Duration::zero();
    auto other = open(directory.beside("other"), options);
    EQ(other->durable(), other->last());
}
END_TEST

TEST(compacts_all_that_pays_in_one_go_and_keeps_the_rest)
{
    Directory directory;
    store::Options options;
    options.segment_size = 64U << 10;
    auto store = open(directory.path, options);
    auto inbox = id_of(*store, "INBOX");
    std::vector<std::uint32_t> most;
    for (std::uint32_t i = 1; i <= 400; ++i) {
        add(*store, "INBOX", util::concat("m", i), i % 3 ? 0 : store::Seen, {}, 3000);
        if (i % 10)
            most.push_back(i);
    }
    OK(store->expunge(inbox, most));
    EQ(store->deleted_messages()->size(), most.size());
    OK(store->purge_deleted(INT64_MAX, true));
    tidy(*store);
    for (int i = 0; i < 40; ++i)
        OK(store->sync());
    std::uint64_t bytes = store->check()->bytes;
    THAT(bytes < 250'000);
    EQ(mailbox(*store, "INBOX").entries.size(), 40U);
    std::string before = picture(*store);
    store = nullptr;
    store = open(directory.path, options);
    EQ(picture(*store), before);
    store = nullptr;
    options.ignore_snapshot = true;
    store = open(directory.path, options);
    EQ(picture(*store), before);
    EQ(store->deleted_messages()->size(), 0U);
    EQ(store->check()->problems.size(), 0U);
    EQ(add(*store, "INBOX", "next").uid, 401U);
}
END_TEST

// The highest Lsn that the files have.
store::Lsn last_on_disk(const std::string& path, const store::Manifest& manifest)
{
    store::Lsn last = 0;
    for (const auto& segment : manifest.segments) {
        auto bytes = util::sys::read_file(util::concat(path, "/", store::segment_name(segment.id)), 1U << 30);
        OK(bytes);
        auto scan = store::scan_segment(*bytes, manifest.tag, false);
        last = std::max(last, scan.frames.empty() ? segment.base : scan.frames.back().header.lsn);
    }
    return last;
}

TEST(a_manifest_calls_nothing_synced_that_waits_to_be_written)
{
    Directory directory;
    store::Options options;
    options.segment_size = 64U << 10;
    options.flag_sync_delay = std::chrono::hours(1);
    auto store = open(directory.path, options);
    auto inbox = id_of(*store, "INBOX");
    std::vector<std::uint32_t> most;
    for (std::uint32_t i = 1; i <= 200; ++i) {
        add(*store, "INBOX", util::concat("m", i), 0, {}, 3000);
        if (i % 10)
            most.push_back(i);
    }
    OK(store->expunge(inbox, most));
    OK(store->purge_deleted(INT64_MAX, true));
    int generations = 0;
    store::Lsn last = 0;
    bool odd = true;
    for (auto left = store::Chores::More; left != store::Chores::Done; left = store->housekeep(1)) {
        if (left == store::Chores::Waiting) {
            pollfd event{.fd = store->event_fd(), .events = POLLIN, .revents = 0};
            ck_assert(::poll(&event, 1, 60'000) == 1);
        }
        auto text = util::sys::read_file(directory.path + "/manifest", store::max_manifest_size);
        if (text.ok()) {   // else there was no snapshot yet
            auto manifest = store::decode_manifest(*text);
            THAT(manifest);
            generations += manifest->durable != std::exchange(last, manifest->durable);
            THAT(manifest->durable <= last_on_disk(directory.path, *manifest));
        }
        OK(store->collect());
        std::uint32_t uid = 10;
        OK(store->change_flags(inbox, {&uid, 1}, {odd ? FlagOperation::Add : FlagOperation::Remove, store::Flagged, {}, {}}));
        odd = !odd;
    }
    THAT(generations > 1);
}
END_TEST

// The number of the newest snapshot.
std::uint64_t snapshots_in(const std::string& path)
{
    auto opened = util::sys::open(path, O_RDONLY | O_DIRECTORY);
    OK(opened);
    std::uint64_t newest = 0;
    for (const std::string& name : util::sys::list_directory(opened->get()).take())
        if (name.starts_with("snapshot-"))
            newest = std::max<std::uint64_t>(newest, std::strtoull(name.c_str() + 9, nullptr, 16));
    return newest;
}

// Bytes that this process has read.
std::uint64_t bytes_read()
{
    auto text = util::sys::read_file("/proc/self/io", 4096);
    OK(text);
    return std::strtoull(text->c_str() + std::string_view("rchar: ").size(), nullptr, 10);
}

TEST(compacts_in_slices_of_bounded_work_and_goes_on_serving)
{
    Directory directory;
    store::Options options;
    options.segment_size = 64U << 10;
    auto store = open(directory.path, options);
    auto inbox = id_of(*store, "INBOX");
    std::vector<std::uint32_t> most;
    for (std::uint32_t i = 1; i <= 400; ++i) {
        add(*store, "INBOX", util::concat("m", i), 0, {}, 3000);
        if (i % 10)
            most.push_back(i);
    }
    OK(store->expunge(inbox, most));
    OK(store->purge_deleted(INT64_MAX, true));
    constexpr std::uint64_t slice = 50;
    constexpr std::uint64_t one_record = 3000 / store::step_bytes + 4;
    int slices = 0;
    for (auto left = store::Chores::More; left != store::Chores::Done; ++slices) {
        std::uint64_t steps = store->housekeeping_steps();
        std::uint64_t bytes = bytes_read();
        std::uint64_t uids = mailbox(*store, "INBOX").entries.size();   // which a census lists at once
        left = store->housekeep(slice);
        THAT(store->housekeeping_steps() - steps <= slice + std::max(one_record, uids + 4));
        // Records that a slice's reading has cut off are read again.
        THAT(bytes_read() - bytes <= 4 * slice * store::step_bytes + 2 * one_record * store::step_bytes + 4096);
        if (slices % 10 == 0) {
            auto stored = add(*store, "INBOX", util::concat("s", slices));
            EQ(*store->read_content(*mailbox(*store, "INBOX").find(stored.uid)), text_of(util::concat("s", slices)));
            EQ(*store->read_content(mailbox(*store, "INBOX").entries[20]), text_of("m210", 3000));
        }
        if (left == store::Chores::Waiting)
            OK(store->sync());
    }
    THAT(slices > 100);
    THAT(store->check()->bytes < 400'000);
    EQ(store->check()->problems.size(), 0U);
    reopens_the_same(directory.path, store);
}
END_TEST

// What changes while a snapshot is copied is in it: it shows one moment, its last.
TEST(makes_a_snapshot_in_slices_and_goes_on_serving)
{
    using store::FlagOperation;
    Directory directory;
    auto store = open(directory.path);
    OK(store->create_mailbox("a", store::SpecialUse::None));
    auto inbox = id_of(*store, "INBOX"), other = id_of(*store, "a");
    for (std::uint32_t i = 1; i <= 1500; ++i)
        add(*store, i % 10 ? "INBOX" : "a", util::concat("m", i));
    OK(store->sync());
    std::uint64_t generation = snapshots_in(directory.path);
    constexpr std::uint64_t slice = 50;
    int slices = 0;
    for (auto left = store::Chores::More; left != store::Chores::Done; ++slices) {
        std::uint64_t steps = store->housekeeping_steps();
        left = store->housekeep(slice);
        THAT(store->housekeeping_steps() - steps <= slice + 8);
        THAT(slices < 1000);
        if (left == store::Chores::Waiting) {
            OK(store->sync());
            continue;
        }
        // One that is copied already, and one that is not yet.
        const auto& entries = mailbox(*store, "INBOX").entries;
        std::uint32_t early = entries[std::size_t(slices) % 20].uid, late = entries[entries.size() - 5].uid;
        OK(store->change_flags(inbox, std::span(&early, 1), {FlagOperation::Add, store::Flagged, {}, {}}));
        OK(store->change_flags(inbox, std::span(&late, 1), {FlagOperation::Add, store::Seen, {"New"}, {}}));
        if (slices % 3 == 0) {
            std::uint32_t gone = entries[std::size_t(slices) + 30].uid;
            OK(store->expunge(inbox, std::span(&gone, 1)));
        }
        if (slices % 4 == 0)
            OK(store->move(inbox, std::span(&late, 1), other));
        add(*store, "INBOX", util::concat("s", slices));
    }
    THAT(slices > 1500 / int(slice));
    THAT(snapshots_in(directory.path) > generation);
    store::Options whole;
    whole.ignore_snapshot = true;
    std::string before = picture(*store);
    store.reset();
    store = open(directory.path);
    EQ(picture(*store), before);
    Directory elsewhere;
    test::copy_tree(directory.path, elsewhere.beside("whole"));
    auto read_anew = open(elsewhere.beside("whole"), whole);
    EQ(picture(*read_anew), before);
}
END_TEST

// A record that is larger than what a slice reads is read by itself; the next one begins behind its
// padding, however much that is.
TEST(compacts_what_stands_behind_large_records)
{
    Directory directory;
    store::Options options;
    options.segment_size = 64U << 10;
    auto store = open(directory.path, options);
    std::vector<std::uint32_t> first;
    for (std::uint32_t i = 1; i <= 64; ++i) {
        add(*store, "INBOX", "m", 0, {}, 9000 + i % store::record_alignment);
        if (i <= 48)
            first.push_back(i);
    }
    OK(store->expunge(id_of(*store, "INBOX"), first));
    OK(store->purge_deleted(INT64_MAX, true));
    tidy(*store, 1);
    THAT(store->check()->bytes < 200'000);
    EQ(store->check()->problems.size(), 0U);
    reopens_the_same(directory.path, store);
}
END_TEST

// What is alive is found mailbox by mailbox; what moves from one that is still to be looked at to one
// that has been is alive all the same, and so is what is expunged and can be put back.
TEST(keeps_mail_that_moves_while_compaction_looks_for_it)
{
    Directory directory;
    store::Options options;
    options.segment_size = 64U << 10;
    auto store = open(directory.path, options);
    OK(store->create_mailbox("a", store::SpecialUse::None));
    OK(store->create_mailbox("b", store::SpecialUse::None));
    for (int i = 0; i < 120; ++i)
        add(*store, i % 3 == 0 ? "INBOX" : i % 3 == 1 ? "a" : "b", util::concat("m", i), 0, {}, 2000);
    std::vector<std::uint32_t> all(40);
    std::iota(all.begin(), all.end(), 1U);
    OK(store->expunge(id_of(*store, "INBOX"), all));
    OK(store->purge_deleted(INT64_MAX, true));
    auto shift = [&](std::string_view from, std::string_view to) {
        const auto& entries = mailbox(*store, from).entries;
        std::uint32_t uid = entries[entries.size() / 2].uid;
        OK(store->move(id_of(*store, from), std::span(&uid, 1), id_of(*store, to)));
    };
    bool turn = false;
    for (auto left = store::Chores::More; left != store::Chores::Done; turn = !turn) {
        left = store->housekeep(4);
        if (left == store::Chores::Waiting)
            OK(store->sync());
        for (int i = 0; i < 2 && mailbox(*store, turn ? "a" : "b").entries.size() > 2; ++i)
            shift(turn ? "a" : "b", turn ? "b" : "a");
        if (turn && mailbox(*store, "a").entries.size() > 20) {
            std::uint32_t uid = mailbox(*store, "a").entries.back().uid;
            OK(store->expunge(id_of(*store, "a"), std::span(&uid, 1)));
        }
    }
    for (const char* name : {"a", "b"})
        for (const auto& entry : mailbox(*store, name).entries)
            OK(store->read_content(entry));
    for (const auto& item : store->deleted_messages().take())
        OK(store->read_content(item.entry));
    reopens_the_same(directory.path, store);
}
END_TEST

// Among many small ones that live its record is next to nothing.
TEST(a_large_message_gives_its_file_back_when_it_is_dead)
{
    Directory directory;
    store::Options options;
    options.segment_size = 1U << 20;
    options.large_message = 100'000;
    auto store = open(directory.path, options);
    auto inbox = id_of(*store, "INBOX");
    auto files = [&] {
        auto bodies = util::sys::open(directory.path + "/bodies", O_RDONLY | O_DIRECTORY);
        return util::sys::list_directory(bodies->get())->size();
    };
    for (int i = 0; i < 50; ++i)
        add(*store, "INBOX", util::concat("m", i), 0, {}, i % 20 == 10 ? 400'000 : 9000);
    EQ(files(), 2U);
    std::uint32_t uid = 11;
    OK(store->expunge(inbox, std::span(&uid, 1)));
    tidy(*store);
    EQ(files(), 2U);   // it can still be put back
    OK(store->purge_deleted(INT64_MAX, false));
    OK(store->sync());   // only what is on disk is looked at
    tidy(*store);
    EQ(files(), 1U);
    EQ(store->check()->problems.size(), 0U);
    reopens_the_same(directory.path, store);
    EQ(files(), 1U);
}
END_TEST

TEST(gives_deleted_mail_back)
{
    Directory directory;
    auto store = open(directory.path);
    OK(store->create_mailbox("x", store::SpecialUse::None));
    auto x = id_of(*store, "x");
    add(*store, "x", "one", store::Flagged, {"Work"});
    add(*store, "x", "two");
    std::vector<std::uint32_t> one = {1};
    OK(store->expunge(x, one));
    OK(store->remove_mailbox("x"));
    store = nullptr;
    store = open(directory.path);
    auto deleted = store->deleted_messages();
    OK(deleted);
    EQ(deleted->size(), 2U);
    EQ((*deleted)[0].mailbox_name, "x");
    EQ(*store->read_content((*deleted)[0].entry), text_of("one"));
    std::vector<std::uint32_t> both = {1, 2, 9};
    auto restored = store->restore(x, both, id_of(*store, "INBOX"));
    OK(restored);
    EQ(restored->target.size(), 2U);
    EQ(mailbox(*store, "INBOX").entries[0].flags, store::Flagged);
    EQ(store->deleted_messages()->size(), 0U);
    EQ(store->restore(x, both, id_of(*store, "INBOX"))->target.size(), 0U);
    reopens_the_same(directory.path, store);
}
END_TEST

TEST(forgets_deleted_mail_beyond_time_and_size)
{
    Directory directory;
    store::Options options;
    options.undelete_limit = 500;
    auto store = open(directory.path, options);
    auto inbox = id_of(*store, "INBOX");
    for (std::uint32_t i = 1; i <= 5; ++i) {
        add(*store, "INBOX", "m");
        OK(store->expunge(inbox, std::span(&i, 1)));
    }
    tidy(*store);
    EQ(store->deleted_messages()->size(), 2U);
    store = nullptr;
    options.undelete_time = util::Duration(-5'000'000);  // all of it is older
    store = open(directory.path, options);
    EQ(store->deleted_messages()->size(), 2U);
    tidy(*store);
    EQ(store->deleted_messages()->size(), 0U);
}
END_TEST

SUITE(housekeeping, a_manifest_calls_nothing_synced_that_waits_to_be_written,
      a_new_store_waits_for_its_first_message_and_needs_no_snapshot,
      a_new_store_without_mail_is_synced_in_the_time_for_flags, rotates_segments,
      compacts_all_that_pays_in_one_go_and_keeps_the_rest, compacts_in_slices_of_bounded_work_and_goes_on_serving,
      makes_a_snapshot_in_slices_and_goes_on_serving, compacts_what_stands_behind_large_records,
      keeps_mail_that_moves_while_compaction_looks_for_it, a_large_message_gives_its_file_back_when_it_is_dead,
      gives_deleted_mail_back, forgets_deleted_mail_beyond_time_and_size)

}  // namespace
