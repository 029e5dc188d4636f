// log/file.h
#include "log/file.h"

#include "libutil/sys.h"
#include "libutil/text.h"
#include "tests/unit/no_descriptors.h"
#include "tests/unit/suite.h"

#include <fcntl.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <sys/resource.h>

using namespace logger;
namespace sys = util::sys;

namespace {

struct Scratch {
    std::string path;
    Scratch()
    {
        char name[] = "/tmp/tern-unit-XXXXXX";
        path = ::mkdtemp(name);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch()
    {
        for (const std::string& name : names())
            (void)sys::unlink(path + "/" + name);
        (void)sys::rmdir(path);
    }
    std::vector<std::string> names() const
    {
        auto directory = sys::open(path, O_RDONLY | O_DIRECTORY);
        auto all = sys::list_directory(directory->get()).take();
        std::ranges::sort(all);
        return all;
    }
    std::string log() const { return path + "/mail.log"; }
    std::string content() const { return sys::read_file(log(), 1'000'000).take(); }
};

const util::WallTime noon = util::from_unix_seconds(1'795'435'200);

TEST(appends_to_what_is_there)
{
    Scratch scratch;
    File::open(scratch.log(), {}).take().append("one\n", 1, noon);
    File::open(scratch.log(), {}).take().append("two\n", 1, noon);
    EQ(scratch.content(), "one\ntwo\n");
}
END_TEST

TEST(a_new_file_begins_at_the_size_limit)
{
    Scratch scratch;
    auto file = File::open(scratch.log(), {.size = 10, .keep = 2}).take();
    file.append("12345\n", 1, noon);
    file.append("123\n", 1, noon);  // 10 bytes: just fits
    EQ(scratch.names().size(), 1u);
    file.append("next\n", 1, noon);
    EQ(scratch.content(), "next\n");
    EQ(scratch.names().size(), 2u);
    THAT(scratch.names()[1].starts_with("mail.log.2026"));
    // One line above the limit gets a file of its own, and is whole.
    file.append("longer than the limit\n", 1, noon + std::chrono::seconds(1));
    EQ(scratch.content(), "longer than the limit\n");
    file.append("x\n", 1, noon + std::chrono::seconds(2));
    EQ(scratch.names().size(), 3u);  // two are kept
}
END_TEST

TEST(twice_in_a_second_makes_two_names)
{
    Scratch scratch;
    auto file = File::open(scratch.log(), {.size = 1, .keep = 100}).take();
    for (int i = 0; i < 5; ++i)
        file.append("x\n", 1, noon);
    EQ(scratch.names().size(), 5u);
}
END_TEST

TEST(a_new_file_begins_at_the_age_limit)
{
    Scratch scratch;
    auto file = File::open(scratch.log(), {.age = std::chrono::hours(24)}).take();
    auto now = util::wall_now();
    file.append("a\n", 1, now);
    file.append("b\n", 1, now + std::chrono::hours(23));
    EQ(scratch.content(), "a\nb\n");
    file.append("c\n", 1, now + std::chrono::hours(25));
    EQ(scratch.content(), "c\n");
    file.append("d\n", 1, now + std::chrono::hours(26));
    EQ(scratch.content(), "c\nd\n");
}
END_TEST

TEST(strangers_files_are_not_removed)
{
    Scratch scratch;
    OK(sys::replace_file(scratch.log() + ".important", "x"));
    OK(sys::replace_file(scratch.path + "/other.log.2020", "x"));
    auto file = File::open(scratch.log(), {.size = 1, .keep = 1}).take();
    for (int i = 0; i < 4; ++i)
        file.append("x\n", 1, noon + std::chrono::seconds(i));
    auto names = scratch.names();
    EQ(names.size(), 4u);
    THAT(std::ranges::find(names, "mail.log.important") != names.end());
}
END_TEST

TEST(somebody_elses_rename_is_seen_within_a_second)
{
    Scratch scratch;
    auto file = File::open(scratch.log(), {}).take();
    file.append("old\n", 1, noon);
    OK(sys::rename(scratch.log(), scratch.path + "/moved"));
    file.append("still old\n", 1, noon + std::chrono::milliseconds(500));
    file.append("new\n", 1, noon + std::chrono::seconds(2));
    EQ(scratch.content(), "new\n");
    EQ(*sys::read_file(scratch.path + "/moved", 100), "old\nstill old\n");
}
END_TEST

TEST(lines_that_cannot_be_written_are_counted)
{
    auto file = File::open("/dev/full", {}).take();
    file.append("a\nb\n", 2, noon);
    file.append("c\n", 1, noon);
    EQ(file.lost(), 3u);
    EQ(File::open("/nonexistent/log", {}).error().kind, util::Kind::NotFound);
}
END_TEST

void limit_file_size(rlim_t size)
{
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{.rlim_cur = size, .rlim_max = RLIM_INFINITY};
    EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
}

// As a full disk does it.
TEST(a_line_of_which_a_part_was_written_is_lost_and_does_not_tear_the_next)
{
    Scratch scratch;
    auto file = File::open(scratch.log(), {}).take();
    limit_file_size(10);
    file.append("one\ntwo\nthree\n", 3, noon);
    EQ(scratch.content(), "one\ntwo\nth");
    EQ(file.lost(), 1u);
    file.append("four\n", 1, noon);
    EQ(file.lost(), 2u);
    limit_file_size(11);   // room for the end of the line, and no more
    file.append("five\n", 1, noon);
    EQ(file.lost(), 3u);
    limit_file_size(RLIM_INFINITY);
    file.append("six\n", 1, noon);
    EQ(scratch.content(), "one\ntwo\nth\nsix\n");
    EQ(file.lost(), 0u);
}
END_TEST

TEST(a_new_file_begins_also_when_no_descriptor_is_free)
{
    Scratch scratch;
    auto file = File::open(scratch.log(), {.size = 10, .keep = 2}).take();
    file.append("123456789\n", 1, noon);
    {
        test::NoDescriptors shortage;
        file.append("abcdefghi\n", 1, noon);
        // Somebody else's rename, too.
        OK(sys::rename(scratch.log(), scratch.log() + ".moved"));
        file.append("x\n", 1, noon + std::chrono::seconds(2));
    }
    EQ(scratch.content(), "x\n");
    EQ(sys::read_file(scratch.log() + ".moved", 1000).take(), "abcdefghi\n");
    EQ(file.lost(), 0U);
}
END_TEST

SUITE(file, a_line_of_which_a_part_was_written_is_lost_and_does_not_tear_the_next, appends_to_what_is_there,
      a_new_file_begins_at_the_size_limit, twice_in_a_second_makes_two_names, a_new_file_begins_at_the_age_limit,
      strangers_files_are_not_removed, a_new_file_begins_also_when_no_descriptor_is_free,
      somebody_elses_rename_is_seen_within_a_second, lines_that_cannot_be_written_are_counted)

}  // namespace
