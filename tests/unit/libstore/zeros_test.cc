// Zeros that are written ahead of the log's end.
#include "libstore/log_store.h"

#include "libstore/format.h"
#include "tests/unit/libstore/fixture.h"

namespace {

using namespace test;

// The first segment as it stands.
class First {
public:
    explicit First(const std::string& path) : path_(util::concat(path, '/', store::segment_name(1))) {}

    std::string bytes() const
    {
        auto text = util::sys::read_file(path_, 1U << 30);
        OK(text);
        return text.take();
    }
    std::size_t size() const { return bytes().size(); }
    // Where its last record ends.
    std::size_t end() const
    {
        std::string all = bytes();
        return store::scan_segment(all, store::decode_segment_header(all)->tag, false).end;
    }
    // At its end.
    std::size_t zeros() const
    {
        std::string all = bytes();
        auto last = all.find_last_not_of('\0');
        return all.size() - (last + 1);
    }
    void append(std::string_view more) const { put(bytes() + std::string(more)); }
    void put(std::string_view bytes) const
    {
        auto file = util::sys::open(path_, O_WRONLY | O_TRUNC);
        OK(file);
        OK(util::sys::write_all(file->get(), bytes));
    }

private:
    std::string path_;
};

store::Options with_zeros()
{
    store::Options options;
    options.zeros_ahead = true;
    return options;
}

// The messages alone: after a crash more uids are past than were given.
std::string messages(store::Store& store)
{
    std::string all;
    for (const auto& entry : mailbox(store, "INBOX").entries)
        util::append(all, entry.uid, ' ', *store.read_content(entry), '\n');
    return all;
}

void add_synced(store::Store& store, int count, std::size_t size = 200)
{
    for (int i = 0; i < count; ++i) {
        add(store, "INBOX", util::concat("m", i), 0, {}, size);
        OK(store.sync());
    }
}

TEST(small_appends_go_where_zeros_stand)
{
    Directory directory;
    First log(directory.path);
    auto store = open(directory.path, with_zeros());
    add_synced(*store, int(store::first_small_appends));
    THAT(log.zeros() < 1000);
    add_synced(*store, 1);
    auto size = log.size();
    THAT(log.zeros() > store::max_zeros - 1000);
    for (int i = 0; i < 20; ++i) {
        add_synced(*store, 1);
        EQ(log.size(), size);
    }
    // When they are used up there are new ones.
    while (log.size() == size)
        add_synced(*store, 1, 4000);
    THAT(log.zeros() > store::max_zeros - 8000);
    std::string before = picture(*store);
    size = log.size();
    store.reset();
    store = open(directory.path, with_zeros());
    EQ(picture(*store), before);
    THAT(files(directory.path, "aside-").empty());
    add_synced(*store, 1);   // the first of another life finds what the one before has left
    EQ(log.size(), size);
    EQ(store->check()->problems.size(), 0U);
}
END_TEST

TEST(large_appends_and_other_file_systems_want_none)
{
    Directory directory;
    First log(directory.path);
    auto store = open(directory.path, with_zeros());
    add_synced(*store, 20, store::max_small_append);
    THAT(log.zeros() < 1000);
    store.reset();
    Directory other;
    auto without = with_zeros();
    without.zeros_ahead = false;
    store = open(other.path, without);
    add_synced(*store, 20);
    THAT(First(other.path).zeros() < 1000);
}
END_TEST

TEST(they_end_with_the_segment)
{
    Directory directory;
    auto options = two_mailboxes();
    options.zeros_ahead = true;
    auto store = open(directory.path, options);
    add_synced(*store, 100, 2000);
    EQ(files(directory.path, store::segment_name(2)).size(), 1U);
    THAT(First(directory.path).size() <= options.segment_size);
    std::string before = picture(*store);
    store.reset();
    options.ignore_snapshot = true;
    store = open(directory.path, options);
    EQ(picture(*store), before);
    EQ(store->check()->problems.size(), 0U);
}
END_TEST

// What was written there, but not synced, may stand in pieces behind zeros.
TEST(what_stands_among_them_is_set_aside_and_cut_off)
{
    for (std::size_t at : {std::size_t(0), std::size_t(8), std::size_t(4096), store::max_zeros - 2000}) {
        Directory directory;
        std::string path = directory.beside("store");
        auto store = open(path, with_zeros());
        add_synced(*store, int(store::first_small_appends) + 1);
        std::string before = messages(*store);
        std::string crashed = directory.beside("crashed");
        copy_tree(path, crashed);
        store.reset();
        First log(crashed);
        std::string bytes = log.bytes();
        auto end = log.end();
        bytes.replace(end + at, 5, "piece");
        log.put(bytes);
        store = open(crashed, with_zeros());
        EQ(messages(*store), before);
        EQ(files(crashed, "aside-").size(), 1U);
        THAT(log.size() < end + 1000);
        add_synced(*store, 10);
        before = messages(*store);
        store.reset();
        store = open(crashed, with_zeros());
        EQ(messages(*store), before);
        EQ(files(crashed, "aside-").size(), 1U);
    }
}
END_TEST

TEST(a_record_that_was_torn_in_front_of_them_is_cut_at_every_byte)
{
    Directory directory;
    std::string path = directory.beside("store");
    auto store = open(path, with_zeros());
    add_synced(*store, int(store::first_small_appends) + 1);
    std::string before = messages(*store);
    First log(path);
    auto end = log.end();
    add_synced(*store, 1);
    std::string crashed = directory.beside("crashed");
    copy_tree(path, crashed);
    store.reset();
    std::string bytes = First(crashed).bytes();
    std::string again = directory.beside("again");
    std::size_t last = First(crashed).end();
    THAT(last > end + 200);
    for (std::size_t whole = end; whole < last; ++whole) {
        copy_tree(crashed, again);
        std::string torn = bytes;
        std::fill(torn.begin() + std::ptrdiff_t(whole), torn.begin() + std::ptrdiff_t(last), '\0');
        if (torn == bytes)
            break;   // it ended in zeros
        First(again).put(torn);
        store = open(again, with_zeros());
        EQ(messages(*store), before);
        store.reset();
        remove_tree(again);
    }
}
END_TEST

SUITE(zeros, small_appends_go_where_zeros_stand, large_appends_and_other_file_systems_want_none, they_end_with_the_segment,
      what_stands_among_them_is_set_aside_and_cut_off, a_record_that_was_torn_in_front_of_them_is_cut_at_every_byte)

}  // namespace
