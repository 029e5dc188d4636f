// Outlines of mailboxes: their bytes, and what a store answers from them without loading a message.
#include "libstore/outline.h"

#include "libstore/codec.h"
#include "libstore/snapshot_draft.h"
#include "libutil/crc32c.h"
#include "tests/unit/libstore/fixture.h"

#include <cerrno>
#include <cstring>

namespace {

using namespace test;

std::string encode(const std::vector<std::uint32_t>& uids, std::uint32_t first_unseen)
{
    store::OutlineWriter writer;
    for (std::uint32_t uid : uids) {
        store::Entry entry;
        entry.uid = uid;
        entry.flags = first_unseen == 0 || uid < first_unseen ? store::Seen : 0;
        writer.add(entry);
    }
    return writer.take();
}

TEST(holds_any_uids_in_few_bytes)
{
    for (const std::vector<std::uint32_t>& uids : std::vector<std::vector<std::uint32_t>>{
             {}, {1}, {2}, {1, 2, 3}, {1, 3, 5, 6, 7, 300, 100'000}, {UINT32_MAX}, {1, UINT32_MAX - 1, UINT32_MAX}}) {
        std::vector<std::uint32_t> unseen_ones = {0};
        if (!uids.empty())
            unseen_ones = {0, uids.front(), uids.back()};
        for (std::uint32_t unseen : unseen_ones) {
            auto outline = store::decode_outline(encode(uids, unseen), std::uint32_t(uids.size()));
            THAT(outline.has_value());
            THAT(outline->uids == uids);
            EQ(outline->first_unseen, unseen);
        }
    }
    std::vector<std::uint32_t> many(100'000);
    for (std::size_t i = 0; i < many.size(); ++i)
        many[i] = std::uint32_t(i + 1);
    THAT(encode(many, 0).size() < 10);
    for (auto& uid : many)
        uid *= 2;
    EQ(encode(many, 0).size(), 4 + 2 * many.size());
}
END_TEST

TEST(refuses_what_is_no_outline_of_so_many_messages)
{
    auto of = [](std::uint32_t unseen, std::initializer_list<std::uint32_t> numbers) {
        std::string bytes;
        store::Writer writer(bytes);
        writer.u32(unseen);
        for (std::uint32_t number : numbers)
            writer.varint(number);
        return bytes;
    };
    THAT(store::decode_outline(of(0, {0, 3}), 3).has_value());
    THAT(!store::decode_outline(of(0, {0, 3}), 2));                          // fewer
    THAT(!store::decode_outline(of(0, {0, 3}), 4));                          // more
    THAT(!store::decode_outline(of(0, {0, 3, 0, 0}), 3));                    // an empty run
    THAT(!store::decode_outline(of(0, {0, UINT32_MAX}), 3));                 // a bomb
    THAT(!store::decode_outline(of(0, {UINT32_MAX, 1}), 1));                 // beyond the last uid
    THAT(!store::decode_outline(of(0, {UINT32_MAX - 1, 2}), 2));
    THAT(!store::decode_outline(of(4, {0, 3}), 3));                          // nobody's uid
    THAT(!store::decode_outline(of(0, {0}), 0));                             // half a run
    THAT(!store::decode_outline("abc", 0));
    THAT(!store::decode_outline(of(0, {}) + "\x80", 0));                     // half a number
    THAT(!store::decode_outline(of(0, {}) + std::string("\xff\xff\xff\xff\x1f\x01", 6), 1));   // of more than 32 bits
    THAT(!store::decode_outline(of(0, {}) + std::string("\x80\x80\x80\x80\x80\x01\x01", 7), 1));
}
END_TEST

std::string snapshot_in(const std::string& path)
{
    std::string newest;
    auto fd = util::sys::open(path, O_RDONLY | O_DIRECTORY);
    for (const auto& name : util::sys::list_directory(fd->get()).take())
        if (name.starts_with("snapshot-") && name > newest)
            newest = name;
    THAT(!newest.empty());
    return util::concat(path, "/", newest);
}

// Messages with gaps and flags between, and a snapshot of them.
void fill(const std::string& path)
{
    auto options = two_mailboxes();
    options.ignore_snapshot = true;   // so that closing makes one
    auto store = open(path, options);
    std::vector<std::uint32_t> gone;
    for (std::uint32_t uid = 1; uid <= 20; ++uid) {
        add(*store, "INBOX", util::concat("m", uid), uid < 8 ? store::Seen : 0);
        if (uid % 3 == 0)
            gone.push_back(uid);
    }
    add(*store, "Sent", "one", store::Seen);
    OK(store->expunge(id_of(*store, "INBOX"), gone));
    OK(store->sync());
}

// The messages of INBOX are not loaded by these questions, and by those they are.
void answers_from_the_outline(store::Store& store)
{
    auto inbox = id_of(store, "INBOX");
    const store::MailboxFacts* facts = *store.facts("inbox");
    THAT(!facts->loaded);
    EQ(facts->message_count(), 14U);
    auto outline = store.outline(inbox);
    OK(outline);
    THAT(!facts->loaded);
    EQ(facts->unseen, 9U);
    const store::Mailbox* box = *store.mailbox(inbox);
    THAT(facts->loaded);
    EQ(facts->message_count(), 14U);
    EQ(outline->uids.size(), box->entries.size());
    for (std::size_t i = 0; i < box->entries.size(); ++i)
        EQ(outline->uids[i], box->entries[i].uid);
    EQ(outline->first_unseen, 8U);
    EQ(outline->uid_next, 21U);
    auto again = store.outline(inbox);
    THAT(again->uids == outline->uids && again->first_unseen == 8 && again->uid_next == 21);
}

TEST(a_store_answers_from_the_outline_and_loads_no_messages)
{
    Directory directory;
    std::string path = directory.beside("store");
    fill(path);
    auto store = open(path, two_mailboxes());
    answers_from_the_outline(*store);
    EQ(store->outline(id_of(*store, "Sent"))->first_unseen, 0U);
    EQ(store->outline(12345).error().kind, util::Kind::NotFound);
    EQ(store->facts("none").error().kind, util::Kind::NotFound);
    EQ(store->facts(12345).error().kind, util::Kind::NotFound);
    EQ(store->check()->problems.size(), 0U);
}
END_TEST

// What is in the log behind the snapshot and says nothing of messages loads none, either.
TEST(a_claim_of_recent_messages_loads_none_at_the_next_open)
{
    Directory directory;
    std::string path = directory.beside("store");
    fill(path);
    auto store = open(path, two_mailboxes());
    store->claim_recent(id_of(*store, "INBOX"));
    OK(store->set_special_use("INBOX", store::SpecialUse::Archive));
    store.reset();
    store = open(path, two_mailboxes());
    EQ((*store->facts("INBOX"))->first_recent_uid, 21U);
    EQ(int((*store->facts("INBOX"))->special_use), int(store::SpecialUse::Archive));
    answers_from_the_outline(*store);
}
END_TEST

// A new snapshot takes over what was not loaded.
TEST(outlines_go_from_one_snapshot_to_the_next)
{
    Directory directory;
    std::string path = directory.beside("store");
    fill(path);
    std::string first = snapshot_in(path);
    auto store = open(path, two_mailboxes());
    for (int i = 0; i < 2000; ++i)
        OK(store->annotate(0, std::vector<store::NewAnnotation>{{"/shared/a", util::concat(i)}}));
    store.reset();
    THAT(snapshot_in(path) != first);
    store = open(path, two_mailboxes());
    answers_from_the_outline(*store);
}
END_TEST

// The place of the directory in the header, its bytes, and the outlines' section, which is its last.
struct Parts {
    static constexpr std::size_t place = 8 + 8 + 8 * 11 + 48;

    explicit Parts(std::string snapshot) : path(std::move(snapshot)), bytes(util::sys::read_file(path, 1U << 20).take())
    {
        std::memcpy(&offset, bytes.data() + place, 8);
        std::memcpy(&length, bytes.data() + place + 8, 8);
        EQ(offset + length, bytes.size());
        section = bytes.size() - 2 * 32 - 8;   // of two mailboxes
        std::uint32_t number = 0;
        std::memcpy(&number, bytes.data() + section, 4);
        EQ(number, store::snapshot_section_outlines);
    }
    void write(bool mend)
    {
        length = bytes.size() - offset;
        std::memcpy(bytes.data() + place + 8, &length, 8);
        if (mend)
            put(place + 16, util::crc32c(std::string_view(bytes).substr(offset)));
        put(252, util::crc32c(std::string_view(bytes).substr(0, 252)));
        auto out = util::sys::open(path, O_WRONLY | O_TRUNC);
        OK(util::sys::write_all(out->get(), bytes));
    }
    void put(std::size_t at, std::uint32_t value) { std::memcpy(bytes.data() + at, &value, 4); }

    std::string path, bytes;
    std::uint64_t offset = 0, length = 0;
    std::size_t section = 0;
};

TEST(a_snapshot_without_outlines_is_good_and_its_successor_has_them)
{
    Directory directory;
    std::string path = directory.beside("store");
    fill(path);
    Parts parts(snapshot_in(path));
    parts.bytes.resize(parts.section);
    parts.write(true);
    auto store = open(path, two_mailboxes());
    THAT(!(*store->facts("INBOX"))->loaded);
    EQ(store->outline(id_of(*store, "INBOX"))->uids.size(), 14U);
    THAT((*store->facts("INBOX"))->loaded);   // there was nothing else to look at
    store.reset();
    EQ(snapshot_in(path), parts.path);
    // The next one, whose mailboxes are not loaded while it is made.
    store = open(path, two_mailboxes());
    for (int i = 0; i < 2000; ++i)
        OK(store->annotate(0, std::vector<store::NewAnnotation>{{"/shared/a", util::concat(i)}}));
    store.reset();
    THAT(snapshot_in(path) != parts.path);
    store = open(path, two_mailboxes());
    answers_from_the_outline(*store);
}
END_TEST

std::string picture_of_filled(const std::string& path)
{
    fill(path);
    auto store = open(path, two_mailboxes());
    return picture(*store);
}

TEST(a_damaged_outline_is_found_and_the_log_is_read)
{
    Directory directory;
    std::string path = directory.beside("store");
    std::string before = picture_of_filled(path);
    Parts parts(snapshot_in(path));
    std::uint64_t inbox = 0;   // of the first place that is not empty of messages: each has id, offset, bytes, checksum
    for (std::size_t at = parts.section + 8; at < parts.bytes.size(); at += 32) {
        std::uint64_t bytes = 0;
        std::memcpy(&bytes, parts.bytes.data() + at + 16, 8);
        if (bytes > 8)
            std::memcpy(&inbox, parts.bytes.data() + at + 8, 8);
    }
    THAT(inbox != 0);
    parts.bytes[inbox + 5] = char(parts.bytes[inbox + 5] ^ 4);
    parts.write(true);
    auto store = open(path, two_mailboxes());
    auto outline = store->outline(id_of(*store, "INBOX"));
    OK(outline);
    EQ(outline->uids.size(), 14U);
    EQ(outline->first_unseen, 8U);
    EQ(picture(*store), before);
    store.reset();
    store = open(path, two_mailboxes());
    EQ(picture(*store), before);
}
END_TEST

TEST(a_directory_of_outlines_of_unknown_mailboxes_is_damaged)
{
    Directory directory;
    std::string path = directory.beside("store");
    std::string before = picture_of_filled(path);
    Parts parts(snapshot_in(path));
    parts.bytes[parts.section + 8] = '\x77';
    parts.write(true);
    auto store = open(path, two_mailboxes());
    EQ(picture(*store), before);
}
END_TEST

// More names than a reader would take: what was written last stays.
TEST(a_snapshot_that_no_reader_would_take_is_not_written)
{
    store::State state(7);
    auto inbox = std::make_unique<store::Folder>();
    inbox->id = 1;
    inbox->name = "INBOX";
    state.names["INBOX"] = 1;
    state.folders[1] = std::move(inbox);
    auto write = [&] {
        store::SnapshotDraft draft;
        store::Steps steps{.left = 1000};
        THAT(draft.advance(state, steps));
        auto file = util::sys::memfd("snapshot");
        OK(file);
        return draft.finish(state, 7, {1, 128})->write(file->get(), nullptr);
    };
    OK(write());
    state.subscriptions.resize(store::max_snapshot_directory / 1000, std::string(1000, 'x'));
    EQ(write().error().code, EFBIG);
}
END_TEST

SUITE(outline, a_snapshot_that_no_reader_would_take_is_not_written, holds_any_uids_in_few_bytes,
      refuses_what_is_no_outline_of_so_many_messages,
      a_store_answers_from_the_outline_and_loads_no_messages, a_claim_of_recent_messages_loads_none_at_the_next_open,
      outlines_go_from_one_snapshot_to_the_next, a_snapshot_without_outlines_is_good_and_its_successor_has_them,
      a_damaged_outline_is_found_and_the_log_is_read, a_directory_of_outlines_of_unknown_mailboxes_is_damaged)

}  // namespace
