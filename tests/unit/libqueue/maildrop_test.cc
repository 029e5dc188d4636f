// Drop files.
#include "libqueue/maildrop.h"
#include "tests/unit/suite.h"

#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace {

std::string scratch()
{
    char name[] = "/tmp/tern-maildrop-XXXXXX";
    ck_assert(mkdtemp(name));
    return name;
}

std::string write_maildrop(const std::string& directory, std::size_t large)
{
    auto writer = queue::DropWriter::create(directory);
    OK(writer);
    OK(writer->add("first"));
    OK(writer->add(std::string(large, 'x')));
    auto name = writer->commit();
    OK(name);
    return directory + "/" + *name;
}

util::Result<std::vector<std::size_t>> sizes_of(const std::string& path)
{
    std::vector<std::size_t> sizes;
    auto file = util::sys::open(path, O_RDONLY);
    OK(file);
    TRY(queue::read_drop(file->get(), [&](std::string_view record) -> util::Result<void> {
        sizes.push_back(record.size());
        return {};
    }));
    return sizes;
}

}  // namespace

TEST(records_come_back_in_order)
{
    auto directory = scratch();
    auto path = write_maildrop(directory, 100'000);
    auto sizes = sizes_of(path);
    OK(sizes);
    EQ(sizes->size(), 2U);
    EQ((*sizes)[0], 5U);
    EQ((*sizes)[1], 100'000U);
    OK(util::sys::unlink(path));
    OK(util::sys::rmdir(directory));
}
END_TEST

TEST(every_cut_and_every_flipped_byte_is_noticed)
{
    auto directory = scratch();
    auto path = write_maildrop(directory, 20);
    auto whole = util::sys::read_file(path, 1000);
    OK(whole);
    for (std::size_t i = 0; i < whole->size(); ++i) {
        OK(util::sys::replace_file(path, whole->substr(0, i)));
        EQ(sizes_of(path).error().kind, util::Kind::Invalid);
        std::string flipped = *whole;
        flipped[i] = char(flipped[i] ^ 1);
        OK(util::sys::replace_file(path, flipped));
        THAT(!sizes_of(path).ok());
    }
    OK(util::sys::replace_file(path, *whole + "x"));
    THAT(!sizes_of(path).ok());
    OK(util::sys::unlink(path));
    OK(util::sys::rmdir(directory));
}
END_TEST

TEST(the_reader_of_records_may_stop)
{
    auto directory = scratch();
    auto path = write_maildrop(directory, 20);
    auto file = util::sys::open(path, O_RDONLY);
    OK(file);
    auto result = queue::read_drop(
        file->get(), [](std::string_view) -> util::Result<void> { return util::permanent("enough"); });
    EQ(result.error().text, "enough");
    OK(util::sys::unlink(path));
    OK(util::sys::rmdir(directory));
}
END_TEST

TEST(the_group_of_the_directory_may_read_whatever_the_umask_is)
{
    auto directory = scratch();
    constexpr gid_t group = 1899999010;
    if (::geteuid() == 0)
        OK(util::sys::chown(directory, uid_t(-1), group));
    mode_t before = ::umask(077);
    auto path = write_maildrop(directory, 20);
    ::umask(before);
    auto status = util::sys::stat(path);
    OK(status);
    EQ(status->st_mode & 0777, 0640U);
    if (::geteuid() == 0)
        EQ(status->st_gid, group);
    OK(util::sys::unlink(path));
    OK(util::sys::rmdir(directory));
}
END_TEST

SUITE(maildrop, records_come_back_in_order, every_cut_and_every_flipped_byte_is_noticed,
      the_reader_of_records_may_stop, the_group_of_the_directory_may_read_whatever_the_umask_is)
