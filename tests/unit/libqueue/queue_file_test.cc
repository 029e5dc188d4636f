// libqueue/writer.h, libqueue/reader.h
#include "libqueue/reader.h"
#include "libqueue/writer.h"
#include "tests/unit/libqueue/scratch.h"
#include "tests/unit/suite.h"

using namespace queue;

namespace {

ipc::Envelope sample_envelope()
{
    ipc::Envelope envelope;
    envelope.queue_id = "3Cbn4n0000z1234";
    envelope.arrival = 1'800'000'000'000'001;
    envelope.sender = "a@example.org";
    envelope.helo_name = "client";
    return envelope;
}

constexpr std::string_view sample_content = "From: a@example.org\r\nBcc: x\r\n\r\nhello\r\n";
constexpr std::string_view patched_content = "Return: 1\r\nFrom: a@example.org\r\nDate: now\r\n\r\nhello\r\n";

// A message with two recipients in the envelope, one late, and three patches.
util::UniqueFd write_sample(Writer& writer, std::string_view content = sample_content)
{
    OK(writer.begin(sample_envelope()));
    OK(writer.add_recipient({"b@example.net", "rfc822;B@example.net", ipc::NotifyFailure}));
    OK(writer.add_recipient({"c@example.net", "", ipc::NotifyDefault}));
    OK(writer.add_content(content.substr(0, 10)));
    OK(writer.add_content(content.substr(10)));
    OK(writer.add_recipient({"late@example.net", "", ipc::NotifyDefault}));
    OK(writer.add_patch({0, 0, "Return: 1\r\n"}));
    OK(writer.add_patch({21, 8, ""}));
    OK(writer.add_patch({29, 0, "Date: now\r\n"}));
    auto readable = writer.finish({.eight_bit = true, .expanded = true, .message_id = "<1@x>", .body_offset = 31});
    OK(readable);
    return readable.take();
}

void expect_sample(int fd)
{
    auto reader = Reader::open(fd);
    OK(reader);
    EQ(reader->envelope().sender, "a@example.org");
    EQ(reader->envelope().arrival, 1'800'000'000'000'001);
    EQ(reader->recipients().size(), 3u);
    EQ(reader->recipients()[0].recipient.original, "rfc822;B@example.net");
    EQ(reader->recipients()[2].recipient.address, "late@example.net");
    EQ(reader->summary().message_id, "<1@x>");
    THAT(reader->summary().expanded);
}

TEST(a_small_message_is_a_sealed_memfd)
{
    test::Scratch scratch;
    Writer writer({.directory = scratch.path()});
    auto fd = write_sample(writer);
    THAT(writer.in_memory());
    THAT(util::sys::is_sealed(fd.get()));
    THAT(!util::sys::write_all(fd.get(), "x").ok());
    expect_sample(fd.get());
    auto reader = Reader::open(fd.get());
    EQ(*reader->read_content(1000), patched_content);
    EQ(reader->content_size(), patched_content.size());
    EQ(reader->body_offset(), patched_content.find("hello"));
    EQ(scratch.count(), 0u);
}
END_TEST

TEST(an_empty_line_that_was_missing_is_no_part_of_the_body)
{
    for (std::string_view added : {"\r\n", "Date: now\r\n\r\n"}) {
        test::Scratch scratch;
        Writer writer({.directory = scratch.path()});
        OK(writer.begin(sample_envelope()));
        OK(writer.add_recipient({"b@example.net", "", ipc::NotifyDefault}));
        OK(writer.add_content("Subject: x\r\ntext\r\n"));
        OK(writer.add_patch({12, 0, std::string(added)}));
        OK(writer.add_patch({12, 0, "> line put before\r\n"}));  // body_checks: PREPEND
        auto fd = writer.finish({.message_id = "", .body_offset = 12});
        OK(fd);
        auto reader = Reader::open(fd->get());
        OK(reader);
        EQ(reader->read_content(1000)->substr(reader->body_offset()), "> line put before\r\ntext\r\n");
    }
}
END_TEST

TEST(a_large_message_is_a_nameless_file_until_it_is_named)
{
    test::Scratch scratch;
    Writer writer({.directory = scratch.path(), .memory_limit = 0});
    std::string content(sample_content);
    content.append(1'000'000, 'x');
    auto fd = write_sample(writer, content);
    THAT(!writer.in_memory());
    THAT(!util::sys::write_all(fd.get(), "x").ok());
    EQ(scratch.count(), 0u);
    OK(writer.name("3Cbn4n0000z1234"));
    EQ(scratch.count(), 1u);
    auto named = util::sys::open(scratch.path() + "/3Cbn4n0000z1234", O_RDONLY);
    expect_sample(named->get());
    auto reader = Reader::open(named->get());
    auto whole = reader->read_content(2'000'000);
    OK(whole);
    EQ(whole->size(), patched_content.size() + 1'000'000);
    EQ(std::string_view(*whole).substr(0, patched_content.size()), patched_content);
    EQ(reader->read_content(1000).error().kind, util::Kind::Permanent);
}
END_TEST

TEST(a_message_in_memory_can_be_named)
{
    test::Scratch scratch;
    Writer writer({.directory = scratch.path()});
    write_sample(writer);
    OK(writer.name("3Cbn4n0000z1234"));
    auto named = util::sys::open(scratch.path() + "/3Cbn4n0000z1234", O_RDONLY);
    expect_sample(named->get());
    // A name that is taken is never replaced.
    write_sample(writer);
    THAT(!writer.name("3Cbn4n0000z1234").ok());
    expect_sample(named->get());
}
END_TEST

TEST(without_nameless_files_a_temporary_name_does)
{
    test::Scratch scratch;
    {
        Writer writer({.directory = scratch.path(), .memory_limit = 0, .nameless = false});
        write_sample(writer);
        EQ(scratch.count(), 1u);
        OK(writer.begin(sample_envelope()));
        EQ(scratch.count(), 0u);
        write_sample(writer);
        OK(writer.name("3Cbn4n0000z1234"));
        EQ(scratch.count(), 1u);
        write_sample(writer);
    }
    EQ(scratch.count(), 1u);
}
END_TEST

TEST(a_full_directory_is_an_error_and_leaves_nothing)
{
    Writer writer({.directory = "/nonexistent", .memory_limit = 0});
    OK(writer.begin(sample_envelope()));
    THAT(!writer.add_content("x").ok());
}
END_TEST

TEST(marks_are_set_in_place_and_keep_the_checksums)
{
    test::Scratch scratch;
    Writer writer({.directory = scratch.path()});
    write_sample(writer);
    OK(writer.name("3Cbn4n0000z1234"));
    auto file = util::sys::open(scratch.path() + "/3Cbn4n0000z1234", O_RDWR);
    auto recipients = Reader::open(file->get())->take_recipients();
    OK(mark_done(file->get(), recipients[1]));
    OK(mark_done(file->get(), recipients[2]));
    auto reader = Reader::open(file->get());
    OK(reader);
    THAT(!reader->recipients()[0].done);
    THAT(reader->recipients()[1].done);
    THAT(reader->recipients()[2].done);
}
END_TEST

// Every byte of the file cut off, and every byte changed in two ways.
TEST(every_torn_or_rotten_byte_is_recognised)
{
    test::Scratch scratch;
    Writer writer({.directory = scratch.path()});
    auto fd = write_sample(writer);
    auto recipients = Reader::open(fd.get())->take_recipients();
    std::string bytes = util::sys::read_fd(fd.get(), 100'000).take();
    std::string path = scratch.path() + "/copy";
    auto expect_invalid = [&](const std::string& damaged, std::size_t at) {
        auto copy = util::sys::open(path, O_RDWR | O_CREAT | O_TRUNC);
        OK(util::sys::write_all(copy->get(), damaged));
        for (Check check : {Check::Everything, Check::Content}) {
            auto reader = Reader::open(copy->get(), check);
            ck_assert_msg(!reader.ok(), "byte %zu", at);
            EQ(reader.error().kind, util::Kind::Invalid);
        }
    };
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        expect_invalid(bytes.substr(0, i), i);
        for (int flip : {1, 0xff}) {
            std::string damaged = bytes;
            damaged[i] = static_cast<char>(damaged[i] ^ flip);
            expect_invalid(damaged, i);
        }
    }
    // A whole mark is not rot.
    bytes.replace(recipients[0].mark_offset, 4, "done");
    auto copy = util::sys::open(path, O_RDWR | O_TRUNC);
    OK(util::sys::write_all(copy->get(), bytes));
    OK(Reader::open(copy->get()));
    // Nor is half of one: that recipient still waits.
    bytes.replace(recipients[0].mark_offset, 4, "doit");
    copy = util::sys::open(path, O_RDWR | O_TRUNC);
    OK(util::sys::write_all(copy->get(), bytes));
    auto half = Reader::open(copy->get());
    OK(half);
    THAT(!half->recipients()[0].done);
}
END_TEST

TEST(an_envelope_check_reads_no_content)
{
    test::Scratch scratch;
    Writer writer({.directory = scratch.path(), .memory_limit = 0});
    std::string content(300'000, 'x');
    write_sample(writer, content);
    OK(writer.name("3Cbn4n0000z1234"));
    auto file = util::sys::open(scratch.path() + "/3Cbn4n0000z1234", O_RDWR);
    OK(util::sys::pwrite_all(file->get(), "y", 200'000));
    OK(Reader::open(file->get(), Check::Envelope));
    THAT(!Reader::open(file->get(), Check::Everything).ok());
}
END_TEST

TEST(who_wants_the_content_gets_no_recipients)
{
    test::Scratch scratch;
    Writer writer({.directory = scratch.path()});
    auto fd = write_sample(writer);
    auto reader = Reader::open(fd.get(), Check::Content);
    OK(reader);
    EQ(reader->recipients().size(), 0u);
    EQ(reader->envelope().sender, "a@example.org");
    EQ(*reader->read_content(1000), patched_content);
}
END_TEST

TEST(an_empty_message_is_a_message)
{
    test::Scratch scratch;
    Writer writer({.directory = scratch.path()});
    OK(writer.begin(sample_envelope()));
    auto fd = writer.finish({});
    OK(fd);
    auto reader = Reader::open(fd->get());
    OK(reader);
    EQ(reader->content_size(), 0u);
    EQ(*reader->read_content(0), "");
    EQ(reader->recipients().size(), 0u);
}
END_TEST

TEST(the_end_of_the_content_has_its_patches)
{
    test::Scratch scratch;
    struct Case {
        std::vector<Patch> patches;
        std::string_view content;
    };
    for (const Case& c : {Case{{}, "0123456789"},
                          {{{0, 0, "a"}, {4, 2, "bc"}}, "a0123bc6789"},
                          {{{8, 2, "xyz"}}, "01234567xyz"},
                          {{{9, 1, ""}, {10, 0, "e"}, {10, 0, "f"}}, "012345678ef"},
                          {{{0, 10, ""}}, ""},
                          {{{0, 10, "b"}}, "b"},
                          {{{3, 0, "p"}, {9, 0, "q"}}, "012p345678q9"}}) {
        Writer writer({.directory = scratch.path()});
        OK(writer.begin(sample_envelope()));
        OK(writer.add_recipient({"b@example.net", "", ipc::NotifyDefault}));
        OK(writer.add_content("0123456789"));
        for (const Patch& patch : c.patches)
            OK(writer.add_patch(patch));
        auto fd = writer.finish({});
        OK(fd);
        auto reader = Reader::open(fd->get());
        OK(reader);
        EQ(*reader->read_content(1000), c.content);
        for (std::size_t count = 0; count <= 15; ++count)
            EQ(*reader->end_of_content(count), c.content.substr(c.content.size() - std::min(count, c.content.size())));
    }
}
END_TEST

TEST(limits_of_recipients_hold)
{
    test::Scratch scratch;
    Writer writer({.directory = scratch.path()});
    OK(writer.begin(sample_envelope()));
    for (std::size_t i = 0; i < format::max_recipients; ++i)
        THAT(writer.add_recipient({"b@example.net", "", 0}).ok());
    EQ(writer.add_recipient({"b@example.net", "", 0}).error().kind, util::Kind::Permanent);
    auto fd = writer.finish({});
    OK(fd);
    EQ(Reader::open(fd->get())->recipients().size(), format::max_recipients);
}
END_TEST

SUITE(queue_file, a_small_message_is_a_sealed_memfd, an_empty_line_that_was_missing_is_no_part_of_the_body,
      a_large_message_is_a_nameless_file_until_it_is_named,
      a_message_in_memory_can_be_named, without_nameless_files_a_temporary_name_does,
      a_full_directory_is_an_error_and_leaves_nothing, marks_are_set_in_place_and_keep_the_checksums,
      every_torn_or_rotten_byte_is_recognised, an_envelope_check_reads_no_content, who_wants_the_content_gets_no_recipients,
      an_empty_message_is_a_message,
      the_end_of_the_content_has_its_patches, limits_of_recipients_hold)

}  // namespace
