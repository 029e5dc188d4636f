// The index hides nothing, whatever was done to it, and spares reading.
#include "libsearch/trigrams.h"
#include "tests/unit/libsearch/fixture.h"

#include <set>

namespace {

using namespace test;

constexpr std::string_view needles[] = {
    "word1", "word17x", "tertius", "number 3", "sender4@example.org", "subject: number 12", "no such thing", "words that all",
    "x a", "ab", "e", "", "from: sender1", "example.org\r\nsubject",
};

void compare(Indexed& f, std::string_view about)
{
    for (std::string_view needle : needles) {
        for (bool header : {true, false})
            ck_assert_msg(f.look_up(needle, header) == f.scan(needle, header), "%s: \"%s\"", std::string(about).c_str(),
                          std::string(needle).c_str());
    }
}

TEST(finds_what_a_scan_finds_and_reads_little)
{
    Indexed f;
    for (int i = 0; i < 60; ++i)
        f.deliver(numbered_message(i));
    auto report = f.feed();
    EQ(report.added, 60u);
    THAT(report.complete);
    EQ(f.index->size(), 60u);
    compare(f, "one segment");
    std::size_t read = 0;
    EQ(f.look_up("word33x", true, &read).size(), 1u);
    THAT(read <= 2);
    read = 0;
    EQ(f.look_up("subject: number", false, &read).size(), 0u);   // of the header only
    THAT(read <= 2);
}
END_TEST

TEST(grows_by_batches_that_are_merged)
{
    Indexed f;
    search::FeedOptions one_by_one;
    one_by_one.time = util::Duration(-1);
    std::uint64_t merged = 0;
    for (int i = 0; i < 40; ++i) {
        f.deliver(numbered_message(i));
        f.deliver(numbered_message(100 + i));
        EQ(f.feed(one_by_one).complete, false);
        auto report = f.feed(one_by_one);
        THAT(report.complete);
        EQ(report.added, 1u);
        merged += report.merged;
        THAT(f.index->parts().size() <= 5);
    }
    EQ(f.index->size(), 80u);
    // Each goes through some log4(n) merges.
    THAT(merged < 80u * 6);
    compare(f, "merged segments");
    EQ(f.feed().range.last, 0u);   // nothing to do
}
END_TEST

TEST(forgets_what_was_expunged_and_knows_copies)
{
    Indexed f;
    for (int i = 0; i < 30; ++i)
        f.deliver(numbered_message(i));
    f.feed();
    std::vector<std::uint32_t> most;
    for (std::uint32_t uid = 1; uid <= 25; ++uid)
        most.push_back(uid);
    OK(f.store->expunge((*f.store->mailbox("INBOX"))->id, most));
    std::uint32_t kept[] = {26, 27};
    OK(f.store->copy((*f.store->mailbox("INBOX"))->id, kept, (*f.store->mailbox("INBOX"))->id));
    compare(f, "after a copy");
    std::size_t hint = 0;
    THAT(f.index->find(f.entries().back().content, f.entries().back().guid, hint).has_value());
    auto report = f.feed();
    EQ(report.added, 0u);
    EQ(f.index->size(), 5u);
    compare(f, "after an expunge");
    // Given back, they are new to it.
    OK(f.store->restore((*f.store->mailbox("INBOX"))->id, most, (*f.store->mailbox("INBOX"))->id));
    compare(f, "given back");
    EQ(f.feed().added, 25u);
    compare(f, "given back and indexed");
}
END_TEST

TEST(a_needle_is_found_wherever_a_chunk_ends)
{
    Indexed f;
    const std::string needle = "the needle that is longer than what chunks have in common";
    for (std::size_t at :
         {std::size_t(0), search::chunk_bytes - 60, search::chunk_bytes - 33, search::chunk_bytes - 32,
          search::chunk_bytes - 31, search::chunk_bytes - 3, search::chunk_bytes, 2 * search::chunk_bytes - 40}) {
        std::string body(3 * search::chunk_bytes, '.');
        body.replace(at, needle.size(), needle);
        f.deliver(util::concat("Subject: x\r\n\r\n", body));
    }
    f.deliver(util::concat("Subject: y\r\n\r\n", std::string(3 * search::chunk_bytes, '.')));
    f.feed();
    for (std::size_t from : {std::size_t(0), std::size_t(1), std::size_t(20)}) {
        std::size_t read = 0;
        EQ(f.look_up(std::string_view(needle).substr(from), false, &read).size(), 8u);
        EQ(read, 8u);
    }
}
END_TEST

TEST(a_set_of_keys_knows_each_once_however_many)
{
    search::KeySet set;
    for (std::size_t length : {std::size_t(3), search::chunk_bytes, 8 * search::chunk_bytes, std::size_t(50)}) {
        std::string text;
        std::set<search::Key> expected;
        for (std::uint32_t number = std::uint32_t(length); text.size() < length; number = number * 1'664'525 + 1'013'904'223)
            text += char(number >> 24);
        for (std::size_t i = 0; i + 3 <= text.size(); ++i)
            expected.insert(search::key_of(search::Zone::Body, text.data() + i));
        set.add(search::Zone::Body, text);
        set.add(search::Zone::Body, text);
        EQ(set.size(), expected.size());
        auto keys = set.take();
        THAT(std::set<search::Key>(keys.begin(), keys.end()) == expected && keys.size() == expected.size());
        EQ(set.size(), 0u);
    }
}
END_TEST

TEST(an_opaque_message_is_always_read)
{
    Indexed f;
    f.deliver(numbered_message(1));
    f.deliver(numbered_message(2));
    search::FeedOptions options;
    options.opaque.insert(f.entries()[0].content);
    f.feed(options);
    EQ(f.index->size(), 2u);
    std::size_t read = 0;
    EQ(f.look_up("word1x", true, &read).size(), 1u);
    EQ(read, 1u);
    EQ(f.look_up("nothing", true, &read).size(), 0u);
    EQ(read, 2u);
}
END_TEST

TEST(what_is_torn_is_read_instead)
{
    Indexed f;
    for (int i = 0; i < 4; ++i)
        f.deliver(numbered_message(i));
    f.feed();
    auto name = search::Index::name_of({1, 1});
    std::string path = f.directory.path + "/index/" + name;
    std::string whole = *util::sys::read_file(path, 1U << 20);
    auto write = [&](std::string_view bytes) {
        auto fd = util::sys::open(path, O_WRONLY | O_CREAT | O_TRUNC);
        OK(fd);
        OK(util::sys::write_all(fd->get(), bytes));
        f.read();
    };
    for (std::size_t length = 0; length < whole.size(); length += 1 + length / 60) {
        write(std::string_view(whole).substr(0, length));
        EQ(f.index->size(), 0u);
        THAT(!util::sys::lstat(path).ok());   // it went
        compare(f, "cut short");
    }
    std::size_t noticed = 0;
    for (std::size_t at = 0; at < whole.size(); at += 1 + at / 40) {
        std::string other = whole;
        other[at] = char(other[at] ^ 0x10);
        write(other);
        bool known = f.index->size() > 0;
        compare(f, "one bit");
        noticed += !known || f.index->damaged();
        if (known && f.index->damaged())
            THAT(std::ranges::find(f.index->useless(), name) != f.index->useless().end());
    }
    THAT(noticed > 20);
    // Zeros in the place of a block, as after a power failure.
    std::string other = whole;
    std::fill_n(other.begin() + search::header_bytes, 100, '\0');
    write(other);
    compare(f, "zeros");
    THAT(f.index->damaged());
}
END_TEST

TEST(an_index_of_another_store_is_not_believed)
{
    Indexed f;
    Indexed other;
    for (int i = 0; i < 10; ++i) {
        f.deliver(numbered_message(i));
        other.deliver(numbered_message(50 + i));
    }
    other.feed();
    auto bytes = util::sys::read_file(other.directory.path + "/index/" + search::Index::name_of({1, 1}), 1U << 20);
    OK(bytes);
    auto fd = util::sys::open(f.directory.path + "/index/" + search::Index::name_of({1, 1}), O_WRONLY | O_CREAT);
    OK(fd);
    OK(util::sys::write_all(fd->get(), *bytes));
    f.read();
    compare(f, "of another store");
    EQ(f.feed().added, 10u);
    compare(f, "and then its own");
    EQ(f.index->size(), 10u);
    EQ(f.index->parts().size(), 1u);
}
END_TEST

TEST(a_merged_segment_stands_for_its_parts)
{
    Indexed f;
    search::FeedOptions one;
    one.time = util::Duration(-1);
    f.deliver(numbered_message(0));
    f.feed();
    copy_tree(f.directory.path + "/index", f.directory.path + "/old");
    f.deliver(numbered_message(1));
    f.feed();
    EQ(f.index->parts().size(), 1u);
    EQ(f.index->parts()[0].range.first, 1u);
    EQ(f.index->parts()[0].range.last, 2u);
    // An end before the old one was removed.
    auto name = search::Index::name_of({1, 1});
    OK(util::sys::rename(f.directory.path + "/old/" + name, f.directory.path + "/index/" + name));
    f.read();
    EQ(f.index->parts().size(), 1u);
    EQ(f.index->size(), 2u);
    THAT(!util::sys::lstat(f.directory.path + "/index/" + name).ok());
}
END_TEST

TEST(names_of_segments_are_strict)
{
    EQ(search::Index::name_of({1, 255}), "00000001-000000ff");
    THAT(search::Index::range_of("00000001-000000ff").has_value());
    for (std::string_view name : {"00000001-0000000", "00000002-00000001", "00000000-00000001", "new", "complete",
                                  "ffffffff-ffffffff", "00000001_00000002", "0000000g-00000001", "+0000001-00000002", ""})
        ck_assert_msg(!search::Index::range_of(name), "%s", std::string(name).c_str());
}
END_TEST

TEST(a_report_with_a_wrong_range_is_refused)
{
    Indexed f;
    f.deliver(numbered_message(0));
    f.feed();
    for (auto range :
         {search::Index::Range{1, 1}, search::Index::Range{3, 3}, search::Index::Range{7, 2}, search::Index::Range{0, 2}}) {
        OK(f.files.begin());
        search::FeedReport report;
        report.range = range;
        THAT(!f.files.adopt(report, *f.index).ok());
    }
    THAT(!search::FeedReport::decode("fed 1 2 3 4"));
    THAT(!search::FeedReport::decode("fed 1 2 3 4 x\n"));
    THAT(search::FeedReport::decode("fed 1 2 3 4 1\n")->complete);
}
END_TEST

TEST(the_hint_holds_for_one_state_of_the_store)
{
    Indexed f;
    THAT(!f.files.was_complete(7));
    f.files.note_complete(7);
    THAT(f.files.was_complete(7));
    THAT(!f.files.was_complete(8));
    f.files.note_complete(12345);
    THAT(f.files.was_complete(12345));
    OK(f.files.remove_all());
    THAT(!f.files.was_complete(12345));
}
END_TEST

}  // namespace

SUITE(search_index, finds_what_a_scan_finds_and_reads_little, grows_by_batches_that_are_merged,
      forgets_what_was_expunged_and_knows_copies, a_needle_is_found_wherever_a_chunk_ends,
      a_set_of_keys_knows_each_once_however_many, an_opaque_message_is_always_read,
      what_is_torn_is_read_instead, an_index_of_another_store_is_not_believed, a_merged_segment_stands_for_its_parts,
      names_of_segments_are_strict, a_report_with_a_wrong_range_is_refused, the_hint_holds_for_one_state_of_the_store)
