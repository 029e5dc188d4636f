#include "libutil/sys.h"
#include "tests/unit/suite.h"
#include "verify/cache_file.h"

#include <cstdlib>
#include <fcntl.h>

namespace {

using ipc::Verification;

constexpr verify::Times file_times{.positive_expire = 1000,
                                   .positive_refresh = 500,
                                   .negative_expire = 100,
                                   .negative_refresh = 50,
                                   .negative_cache = true,
                                   .limit = 3};

std::string scratch()
{
    char name[] = "/tmp/tern-verify-XXXXXX";
    THAT(::mkdtemp(name) != nullptr);
    return name;
}

void remove_all(const std::string& directory)
{
    auto opened = util::sys::open(directory, O_RDONLY | O_DIRECTORY);
    for (const std::string& name : util::sys::list_directory(opened->get()).take())
        (void)util::sys::unlink(directory + "/" + name);
    ::rmdir(directory.c_str());
}

TEST(each_type_of_file_brings_back_what_was_stored)
{
    for (const char* type : {"btree", "hash", "lmdb"}) {
        std::string directory = scratch();
        auto file = verify::CacheFile::parse(std::string(type) + ":" + directory + "/cache");
        OK(file);
        EQ(file->directory(), directory);
        verify::Cache cache(file_times);
        auto none = file->load(cache);
        OK(none);
        EQ(*none, 0);
        cache.learn("a@b", Verification::Deliverable, "yes", 100);
        cache.learn("c@d", Verification::Undeliverable, "no", 100);
        OK(file->store(cache));
        verify::Cache other(file_times);
        auto two = file->load(other);
        OK(two);
        EQ(*two, 2);
        EQ(other.look("a@b", 100).answer.text, "yes");
        THAT(other.look("c@d", 100).answer.result == Verification::Undeliverable);
        remove_all(directory);
    }
}
END_TEST

TEST(of_more_than_there_is_room_for_the_newest_come_back)
{
    std::string directory = scratch();
    auto file = verify::CacheFile::parse("btree:" + directory + "/cache").take();
    verify::Times roomy = file_times;
    roomy.limit = 100;
    verify::Cache cache(roomy);
    for (int i = 0; i < 10; ++i)
        cache.learn("user" + std::to_string((i * 7) % 10) + "@x", Verification::Deliverable, "yes", 100 + (i * 7) % 10);
    OK(file.store(cache));
    verify::Cache small(file_times);
    OK(file.load(small));
    EQ(small.size(), 3);
    for (int i = 7; i < 10; ++i)
        THAT(small.look("user" + std::to_string(i) + "@x", 100).answer.result == Verification::Deliverable);
    remove_all(directory);
}
END_TEST

TEST(a_damaged_file_is_an_error_and_never_an_answer)
{
    std::string directory = scratch();
    auto file = verify::CacheFile::parse("btree:" + directory + "/cache").take();
    auto fd = util::sys::open(directory + "/cache.db", O_WRONLY | O_CREAT, 0600);
    OK(fd);
    OK(util::sys::write_all(fd->get(), std::string(10'000, 'x')));
    verify::Cache cache(file_times);
    THAT(!file.load(cache).ok());
    EQ(cache.size(), 0);
    // What a killed writer left, and nothing else, is cleared.
    OK(util::sys::open(directory + "/.cache.db.123456", O_WRONLY | O_CREAT, 0600));
    file.clear_litter();
    THAT(!util::sys::stat(directory + "/.cache.db.123456").ok());
    OK(util::sys::stat(directory + "/cache.db"));
    remove_all(directory);
}
END_TEST

TEST(only_index_files_with_a_path_are_taken)
{
    OK(verify::CacheFile::parse("lmdb:/a/b"));
    THAT(!verify::CacheFile::parse("")->exists());
    for (const char* bad : {"/a/b", "btree:", "btree:/", "btree:a", "texthash:/a", "proxy:btree:/a"})
        THAT(!verify::CacheFile::parse(bad).ok());
}
END_TEST

}  // namespace

SUITE(verify_cache_file, each_type_of_file_brings_back_what_was_stored, of_more_than_there_is_room_for_the_newest_come_back,
      a_damaged_file_is_an_error_and_never_an_answer, only_index_files_with_a_path_are_taken)
