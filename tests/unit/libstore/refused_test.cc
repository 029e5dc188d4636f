// What recovery refuses: a batch that a power cut met in its sync, of which later records reached the disk and earlier ones did
// not as a whole.  It stays refused, whatever comes behind it and however often the log is read again.
#include "tests/unit/libstore/fixture.h"

#include "libstore/format.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace {

using namespace test;

store::Options one_mailbox(bool snapshot = true)
{
    store::Options options;
    options.segment_size = 64U << 10;
    options.ignore_snapshot = !snapshot;
    options.zeros_ahead = true;
    return options;
}

util::Result<store::Stored> deliver(store::Store& store, std::string_view queue_id, std::string_view name)
{
    store::Rendered texts = rendered(name);
    std::string content = text_of(name, 3000);
    store::NewMessage message;
    message.content = content;
    message.rendered = &texts;
    message.queue_id = queue_id;
    message.recipient = "u@example.test";
    return store.append(id_of(store, "INBOX"), message);
}

std::string first_segment(const std::string& path)
{
    return util::concat(path, "/", store::segment_name(1));
}

std::string bytes_of(const std::string& path)
{
    auto content = util::sys::read_file(path, 1U << 30);
    OK(content);
    return content.take();
}

void put_bytes(const std::string& path, std::string_view bytes)
{
    auto fd = util::sys::open(path, O_WRONLY | O_CREAT | O_TRUNC);
    OK(fd);
    OK(util::sys::write_all(fd->get(), bytes));
}

// Zeros over so many bytes behind the first place where this stands.
void lose(const std::string& path, std::string_view text, std::size_t skipped, std::size_t count)
{
    std::string bytes = bytes_of(path);
    std::size_t at = bytes.find(text);
    THAT(at != bytes.npos && at + skipped + count <= bytes.size());
    bytes.replace(at + skipped, count, count, '\0');
    put_bytes(path, bytes);
}

// All messages; those by this name are left out.
std::string listed(store::Store& store, std::string_view left_out = "")
{
    std::string all;
    const store::Mailbox& box = mailbox(store, "INBOX");
    for (const auto& entry : box.entries) {
        auto content = store.read_content(entry);
        std::string name = "damaged";
        if (content.ok()) {
            std::size_t begin = std::string_view("Subject: ").size();
            name = content->substr(begin, content->find("\r\n") - begin);
            EQ(*content, text_of(name, 3000));
        }
        if (name != left_out)
            util::append(all, entry.uid, ' ', name, ' ', entry.flags, ' ', box.seen_by("guest", entry.uid), '\n');
    }
    return all;
}

// What the power cut met in front of the delivery Q2.  Of each, a part is lost.
enum class Half : std::uint8_t { Delivery, Group, GroupWithoutHead, Seen, Flags, EarlierSegment };
constexpr std::array halves = {Half::Delivery, Half::Group, Half::GroupWithoutHead,
                               Half::Seen,     Half::Flags, Half::EarlierSegment};

void write_group(store::Store& store)
{
    std::vector<store::Rendered> texts;
    std::vector<std::string> contents;
    for (const char* name : {"member-a", "member-b", "member-c"}) {
        texts.push_back(rendered(name));
        contents.push_back(text_of(name, 3000));
    }
    std::vector<store::NewMessage> group(3);
    for (std::size_t i = 0; i < 3; ++i) {
        group[i].content = contents[i];
        group[i].rendered = &texts[i];
    }
    OK(store.append_all(id_of(store, "INBOX"), group));
}

void mark_seen(store::Store& store, std::vector<std::uint32_t> uids)
{
    store::FlagChange read{store::FlagOperation::Add, store::Seen | store::Answered, {}, {}};
    read.reader = "guest";
    OK(store.change_flags(id_of(store, "INBOX"), uids, read));
}

// The segment's records of this type, by offset.
std::vector<store::Frame> frames_of(std::string_view bytes, store::Type type)
{
    auto frames = store::scan_segment(bytes, store::decode_segment_header(bytes)->tag, false).frames;
    std::erase_if(frames, [type](const store::Frame& frame) { return frame.header.type != type; });
    return frames;
}

// Zeros over the header of such a record, from one of its bytes on.
void lose_head(const std::string& path, store::Type type, std::size_t which, std::size_t from)
{
    std::string bytes = bytes_of(path);
    auto frames = frames_of(bytes, type);
    THAT(which < frames.size());
    bytes.replace(frames[which].offset + from, store::record_header_size - from, store::record_header_size - from, '\0');
    put_bytes(path, bytes);
}

// What the disk has after the power cut.
std::string half_synced(const Directory& directory, Half half)
{
    std::string path = directory.beside("whole");
    auto store = open(path, one_mailbox());
    OK(deliver(*store, "Q0", "zero"));
    OK(store->sync());
    if (half == Half::Delivery || half == Half::EarlierSegment)
        OK(deliver(*store, "Q1", "first"));
    else if (half == Half::Seen || half == Half::Flags)
        mark_seen(*store, {1});
    else
        write_group(*store);
    OK(deliver(*store, "Q2", "second"));
    OK(store->sync());
    std::string cut = directory.beside("cut");
    copy_tree(path, cut);
    store.reset();
    std::string segment = first_segment(cut);
    std::string bytes = bytes_of(segment);
    if (half == Half::Delivery || half == Half::EarlierSegment)
        lose(segment, "first says", 1000, 1000);
    else if (half == Half::Group)
        lose(segment, "member-b says", 1000, 1000);
    else if (half == Half::GroupWithoutHead)
        lose_head(segment, store::Type::Arrival, 2, 0);
    else
        lose_head(segment, half == Half::Seen ? store::Type::SeenSetting : store::Type::FlagSetting, 0, 20);
    if (half == Half::EarlierSegment) {
        auto header = *store::decode_segment_header(bytes);
        header.id = 2;
        header.base = frames_of(bytes, store::Type::Arrival).back().header.lsn;
        put_bytes(util::concat(cut, "/", store::segment_name(2)), store::encode_segment_header(header));
    }
    return cut;
}

// A process that opens the store and is killed: 0, or it died before it was through.
int open_and_die(const std::string& path, int calls)
{
    pid_t child = ::fork();
    ck_assert(child >= 0);
    if (child == 0) {
        calls_left = calls;
        auto opened = store::Store::open(path, one_mailbox());
        ::_exit(opened.ok() ? 0 : 1);
    }
    int status = 0;
    ck_assert(::waitpid(child, &status, 0) == child);
    ck_assert_msg(WIFEXITED(status) && (WEXITSTATUS(status) == died || WEXITSTATUS(status) == 0), "status %d", status);
    return WEXITSTATUS(status);
}

// Zero and second are there, the latter with the uid that it got; of what was half written there is no trace.
std::string expected(Half half)
{
    bool group = half == Half::Group || half == Half::GroupWithoutHead;
    bool seen = half == Half::Seen || half == Half::Flags;
    return util::concat("1 zero 0 no\n", group ? '5' : seen ? '2' : '3', " second 0 no\n");
}

// Bytes that are no record stay in the log, and check() says so.
bool has_gap(Half half)
{
    return half == Half::GroupWithoutHead || half == Half::Seen || half == Half::Flags;
}

// A retry is stored, and what came through is not stored twice.
void takes_the_retry(store::Store& store, Half half)
{
    std::string before = listed(store);
    auto highest = mailbox(store, "INBOX").entries.back().uid;
    auto again = deliver(store, "Q2", "second");
    OK(again);
    THAT(again->duplicate);
    auto retried = deliver(store, "Q1", "first");
    OK(retried);
    THAT(!retried->duplicate);
    THAT(retried->uid > highest);
    EQ(listed(store, "first"), before);
    OK(store.sync());
    EQ(*store.read_content(mailbox(store, "INBOX").entries.back()), text_of("first", 3000));
    auto report = store.check();
    OK(report);
    EQ(report->problems.size(), has_gap(half) ? 1U : 0U);
}

TEST(what_was_refused_once_is_refused_for_good)
{
    for (Half half : halves) {
        Directory directory;
        std::string path = half_synced(directory, half);
        for (int recovery = 0; recovery < 4; ++recovery)
            EQ(open_and_die(path, -1), 0);
        for (bool snapshot : {true, false, false}) {
            auto store = open(path, one_mailbox(snapshot));
            EQ(listed(*store), expected(half));
        }
        OK(util::sys::unlink(path + "/manifest"));
        auto store = open(path, one_mailbox());
        EQ(listed(*store), expected(half));
        takes_the_retry(*store, half);
        store.reset();
        store = open(path, one_mailbox(false));
        EQ(listed(*store, "first"), expected(half));
        THAT(deliver(*store, "Q1", "first")->duplicate);
    }
}
END_TEST

TEST(its_bytes_are_kept_aside_once)
{
    Directory directory;
    std::string path = half_synced(directory, Half::Group);
    for (int recovery = 0; recovery < 3; ++recovery)
        EQ(open_and_die(path, -1), 0);
    auto asides = files(path, "aside-");
    EQ(asides.size(), 1U);
    std::string kept = bytes_of(util::concat(path, "/", asides[0]));
    THAT(kept.find("member-a says") != kept.npos);
    THAT(kept.find("member-c says") != kept.npos);
    THAT(kept.find("second says") == kept.npos);
    EQ(frames_of(bytes_of(first_segment(path)), store::Type::Voided).size(), 3U);
}
END_TEST

TEST(a_death_in_recovery_changes_nothing)
{
    for (Half half : halves) {
        Directory directory;
        std::string path = half_synced(directory, half);
        std::string again = directory.beside("again");
        int deaths = 0;
        for (int calls = 0;; ++calls) {
            copy_tree(path, again);
            int status = open_and_die(again, calls);
            EQ(open_and_die(again, -1), 0);
            auto store = open(again, one_mailbox(false));
            EQ(listed(*store), expected(half));
            takes_the_retry(*store, half);
            store.reset();
            remove_tree(again);
            if (status == 0)
                break;
            ++deaths;
        }
        THAT(deaths >= 4);
    }
}
END_TEST

// The disk takes any part of what no sync has covered yet.
TEST(a_power_cut_in_recovery_changes_nothing)
{
    for (Half half : halves) {
        Directory directory;
        std::string path = half_synced(directory, half);
        std::string before = bytes_of(first_segment(path));
        std::string again = directory.beside("again");
        int cuts = 0;
        for (int calls = 0;; ++calls) {
            std::string once = directory.beside("once");
            copy_tree(path, once);
            int status = open_and_die(once, calls);
            std::string after = bytes_of(first_segment(once));
            std::size_t end = before.find_last_not_of('\0') + 1;
            bool marked = after.find_last_not_of('\0') + 1 != end;
            for (std::size_t at = 0; !marked && at < end; at += 8) {
                if (before.compare(at, 8, after, at, 8) == 0)
                    continue;
                for (bool head : {true, false}) {
                    const std::string& other = head ? before : after;
                    std::string mixed = (head ? after : before).substr(0, at) + other.substr(at);
                    copy_tree(path, again);
                    put_bytes(first_segment(again), mixed);
                    EQ(open_and_die(again, -1), 0);
                    auto store = open(again, one_mailbox(false));
                    EQ(listed(*store), expected(half));
                    store.reset();
                    remove_tree(again);
                    ++cuts;
                }
            }
            remove_tree(once);
            if (status == 0)
                break;
        }
        THAT(cuts > 0);
    }
}
END_TEST

// Compaction makes of them what counts as a whole, and the manifest names no snapshot afterwards.
TEST(compaction_does_not_bring_it_back)
{
    for (Half half : halves) {
        Directory directory;
        std::string path = half_synced(directory, half);
        EQ(open_and_die(path, -1), 0);
        auto store = open(path, one_mailbox());
        std::vector<std::uint32_t> more;
        for (int i = 0; i < 60; ++i)
            more.push_back(add(*store, "INBOX", util::concat("m", i), 0, {}, 3000).uid);
        OK(store->expunge(id_of(*store, "INBOX"), more));
        OK(store->purge_deleted(INT64_MAX, true));
        for (auto left = store::Chores::More; left != store::Chores::Done; left = store->housekeep(200)) {
            OK(store->sync());
            std::string killed = directory.beside("killed");
            copy_tree(path, killed);
            auto other = open(killed, one_mailbox());
            EQ(listed(*other), expected(half));
            other.reset();
            remove_tree(killed);
        }
        OK(store->sync());
        // There is nothing dead in the segment that was cut, if another one was begun.
        if (!has_gap(half) && half != Half::EarlierSegment)
            THAT(!util::sys::stat(first_segment(path)).ok());
        EQ(store->check()->problems.size(), has_gap(half) ? 1U : 0U);
        store.reset();
        store = open(path, one_mailbox(false));
        EQ(listed(*store), expected(half));
        takes_the_retry(*store, half);
    }
}
END_TEST

// A snapshot that turns out to be damaged when it is needed.
TEST(reading_the_log_instead_of_the_snapshot_agrees)
{
    for (Half half : halves) {
        Directory directory;
        std::string path = half_synced(directory, half);
        auto store = open(path, one_mailbox());
        store::Guid guid = mailbox(*store, "INBOX").entries.back().guid;
        store.reset();
        auto names = files(path, "snapshot-");
        EQ(names.size(), 1U);
        std::string snapshot = util::concat(path, "/", names[0]);
        std::string bytes = bytes_of(snapshot);
        std::size_t at = bytes.find(std::string_view(reinterpret_cast<const char*>(guid.bytes.data()), guid.bytes.size()));
        THAT(at != bytes.npos);
        bytes[at] ^= 1;
        put_bytes(snapshot, bytes);
        store = open(path, one_mailbox());
        EQ(listed(*store), expected(half));
    }
}
END_TEST

// It was synced, and is listed; but the delivery was for nothing.
TEST(a_message_that_cannot_be_read_has_not_been_delivered)
{
    Directory directory;
    std::string path = directory.beside("store");
    auto store = open(path, one_mailbox());
    for (auto [queue_id, name] : {std::pair("Q1", "first"), std::pair("Q2", "second"), std::pair("Q3", "third")}) {
        OK(deliver(*store, queue_id, name));
        OK(store->sync());
    }
    store.reset();
    lose(first_segment(path), "first says", 1000, 1000);
    store = open(path, one_mailbox(false));
    EQ(mailbox(*store, "INBOX").entries.size(), 3U);
    auto again = deliver(*store, "Q1", "first");
    OK(again);
    THAT(!again->duplicate);
    EQ(*store->read_content(mailbox(*store, "INBOX").entries.back()), text_of("first", 3000));
    THAT(deliver(*store, "Q2", "second")->duplicate);
    THAT(deliver(*store, "Q1", "first")->duplicate);
}
END_TEST

// What a segment holds was synced when the next one has a record, although no mark in it says so.
TEST(a_group_at_the_end_of_a_sealed_segment_was_synced)
{
    Directory directory;
    std::string path = directory.beside("store");
    auto store = open(path, one_mailbox());
    write_group(*store);
    std::size_t count = 3;
    for (; files(path, "segment-").size() == 1; ++count)
        add(*store, "INBOX", util::concat("m", count), 0, {}, 3000);
    store.reset();
    std::string bytes = bytes_of(first_segment(path));
    auto arrivals = frames_of(bytes, store::Type::Arrival);
    // The group comes last there.
    bytes.resize(arrivals[2].offset + store::padded(arrivals[2].bytes.size()));
    bytes[arrivals[1].offset + 60] ^= 1;
    put_bytes(first_segment(path), bytes);
    store = open(path, one_mailbox(false));
    const auto& entries = mailbox(*store, "INBOX").entries;
    EQ(entries[0].uid, 1U);
    EQ(entries[1].uid, 3U);
}
END_TEST

SUITE(refused, what_was_refused_once_is_refused_for_good, its_bytes_are_kept_aside_once, a_death_in_recovery_changes_nothing,
      a_power_cut_in_recovery_changes_nothing, compaction_does_not_bring_it_back,
      reading_the_log_instead_of_the_snapshot_agrees, a_message_that_cannot_be_read_has_not_been_delivered,
      a_group_at_the_end_of_a_sealed_segment_was_synced)

}  // namespace
