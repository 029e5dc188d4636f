// libqueue/story.h
#include "libqueue/reader.h"
#include "libqueue/writer.h"
#include "tests/unit/libqueue/scratch.h"
#include "tests/unit/suite.h"

using namespace queue;

namespace {

StoryEntry sample_attempt()
{
    ipc::DeliveryStatus status;
    status.disposition = ipc::Disposition::Deferred;
    status.dsn = "4.4.1";
    status.text = "connect to x:\tno\nroute \\ \x80";
    status.relay = "none";
    return {StoryEntry::Kind::Attempt, 1'800'000'000'000'000, 3, status, ""};
}

TEST(lines_come_back_as_they_were)
{
    auto story = decode_story(encode_story_line(sample_attempt()) +
                              encode_story_line({StoryEntry::Kind::Held, 5, {}, {}, "by hand"}));
    EQ(story.damaged, 0u);
    EQ(story.entries.size(), 2u);
    EQ(story.entries[0].kind, StoryEntry::Kind::Attempt);
    EQ(*story.entries[0].recipient, 3u);
    EQ(story.entries[0].status->text, "connect to x:\tno\nroute \\ \x80");
    EQ(story.entries[0].status->disposition, ipc::Disposition::Deferred);
    EQ(story.entries[1].kind, StoryEntry::Kind::Held);
    EQ(story.entries[1].text, "by hand");
    THAT(!story.entries[1].status);
}
END_TEST

TEST(a_torn_or_rotten_line_is_counted_and_its_neighbours_are_read)
{
    std::string first = encode_story_line({StoryEntry::Kind::Note, 1, {}, {}, "first"});
    std::string middle = encode_story_line(sample_attempt());
    std::string last = encode_story_line({StoryEntry::Kind::Note, 2, {}, {}, "last"});
    for (std::size_t i = 2; i < middle.size() - 1; ++i) {
        auto torn = decode_story(first + middle.substr(0, i) + last);
        EQ(torn.damaged, 1u);
        EQ(torn.entries.size(), 2u);
        std::string rotten = middle;
        rotten[i] = static_cast<char>(rotten[i] ^ 0x55);
        auto story = decode_story(first + rotten + last);
        THAT(story.damaged >= 1);
        EQ(story.entries.size(), 2u);
        EQ(story.entries[1].text, "last");
    }
}
END_TEST

TEST(a_long_story_keeps_its_ends)
{
    std::string bytes;
    for (std::size_t i = 0; i < max_story_lines + 100; ++i)
        bytes += encode_story_line({StoryEntry::Kind::Note, std::int64_t(i), {}, {}, ""});
    auto story = decode_story(bytes);
    EQ(story.entries.size(), max_story_lines);
    EQ(story.entries.front().time, 0);
    EQ(story.entries.back().time, max_story_lines + 99);
}
END_TEST

TEST(a_queue_file_carries_its_story)
{
    test::Scratch scratch;
    Writer writer({.directory = scratch.path()});
    ipc::Envelope envelope;
    OK(writer.begin(envelope));
    OK(writer.add_content("x\r\n"));
    OK(writer.finish({}));
    OK(writer.name("3Cbn4n0000z1234"));
    auto file = util::sys::open(scratch.path() + "/3Cbn4n0000z1234", O_RDWR | O_APPEND);
    OK(append_story(file->get(), sample_attempt()));
    OK(append_story(file->get(), sample_attempt()));
    auto reader = Reader::open(file->get());
    OK(reader);
    EQ(reader->story()->entries.size(), 2u);
    EQ(*reader->read_content(100), "x\r\n");
}
END_TEST

SUITE(story, lines_come_back_as_they_were, a_torn_or_rotten_line_is_counted_and_its_neighbours_are_read,
      a_long_story_keeps_its_ends, a_queue_file_carries_its_story)

}  // namespace
