// libutil/sys.h
#include "libutil/sys.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

using namespace util;

namespace {

// A directory that goes with its owner, with all that is in it.
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
        auto directory = sys::open(path, O_RDONLY | O_DIRECTORY);
        for (const std::string& name : sys::list_directory(directory->get()).take()) {
            if (!sys::unlinkat(directory->get(), name))
                (void)sys::unlinkat(directory->get(), name, AT_REMOVEDIR);
        }
        (void)sys::rmdir(path);
    }
    std::string operator/(std::string_view name) const { return concat(path, "/", name); }
};

TEST(errors_have_kinds_that_mail_understands)
{
    Scratch scratch;
    auto missing = sys::open(scratch / "none", O_RDONLY);
    EQ(missing.error().kind, Kind::NotFound);
    EQ(missing.error().code, ENOENT);
    EQ(missing.error().text, concat("open ", scratch / "none", ": No such file or directory"));
    EQ(sys::open(scratch.path, O_WRONLY).error().kind, Kind::Permanent);
    EQ(sys::mkdir(scratch.path, 0700).error().code, EEXIST);
    EQ(system_error("write", ENOSPC).kind, Kind::Temporary);
    EQ(sys::fsync(-1).error().code, EBADF);
}
END_TEST

TEST(descriptors_close_on_exec)
{
    Scratch scratch;
    auto fd = sys::open(scratch / "file", O_RDWR | O_CREAT).take();
    THAT((::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
    THAT((::fcntl(sys::duplicate(fd.get())->get(), F_GETFD) & FD_CLOEXEC) != 0);
    THAT((::fcntl(sys::reopen(fd.get(), O_RDONLY)->get(), F_GETFD) & FD_CLOEXEC) != 0);
    THAT((::fcntl(sys::memfd("x")->get(), F_GETFD) & FD_CLOEXEC) != 0);
    auto pair = sys::socket_pair(SOCK_SEQPACKET).take();
    THAT((::fcntl(pair.first.get(), F_GETFD) & FD_CLOEXEC) != 0);
    OK(sys::set_close_on_exec(fd.get(), false));
    THAT((::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) == 0);
}
END_TEST

TEST(writes_all_pieces_and_reads_them_back)
{
    Scratch scratch;
    auto fd = sys::open(scratch / "file", O_RDWR | O_CREAT).take();
    std::string large(300'000, 'x');
    const std::string_view pieces[] = {"begin ", "", large, " end"};
    OK(sys::writev_all(fd.get(), pieces));
    OK(sys::pwrite_all(fd.get(), "BEGIN", 0));
    std::string all = sys::read_file(scratch / "file", 1'000'000).take();
    EQ(all, concat("BEGIN ", large, " end"));
    char buffer[4];
    EQ(*sys::pread(fd.get(), buffer, all.size() - 3), 3u);
    EQ(std::string_view(buffer, 3), "end");
    EQ(*sys::pread(fd.get(), buffer, all.size()), 0u);
}
END_TEST

TEST(a_pipe_that_is_full_takes_the_rest_later)
{
    int ends[2];
    ck_assert(::pipe2(ends, O_CLOEXEC) == 0);
    UniqueFd in(ends[0]), out(ends[1]);
    std::string large(1'000'000, 'y');
    pid_t child = ::fork();
    if (child == 0) {
        in.reset();
        ::_exit(sys::write_all(out.get(), large) ? 0 : 1);
    }
    out.reset();
    EQ(sys::read_fd(in.get(), 2'000'000)->size(), large.size());
}
END_TEST

TEST(reading_whole_files_is_bounded)
{
    Scratch scratch;
    auto fd = sys::open(scratch / "file", O_RDWR | O_CREAT).take();
    OK(sys::write_all(fd.get(), "0123456789"));
    EQ(*sys::read_file(scratch / "file", 10), "0123456789");
    EQ(sys::read_file(scratch / "file", 9).error().kind, Kind::Permanent);
    // Its size says 0.
    THAT(sys::read_file("/proc/self/status", 1'000'000)->find("Name:") != std::string::npos);
    EQ(*sys::read_file("/dev/null", 0), "");
}
END_TEST

TEST(a_nameless_file_gets_its_name_once)
{
    Scratch scratch;
    auto directory = sys::open(scratch.path, O_RDONLY | O_DIRECTORY).take();
    auto fd = sys::open_nameless(scratch.path, O_RDWR, 0640).take();
    OK(sys::write_all(fd.get(), "text"));
    EQ(sys::list_directory(directory.get())->size(), 0u);
    OK(sys::link_fd(fd.get(), directory.get(), "name"));
    EQ(sys::link_fd(fd.get(), directory.get(), "name").error().code, EEXIST);
    OK(sys::fsync(fd.get()));
    OK(sys::sync_directory(scratch.path));
    EQ(*sys::read_file(scratch / "name", 100), "text");
    EQ(sys::open_nameless("/proc", O_RDWR).error().kind, Kind::Permanent);
}
END_TEST

TEST(names_change_and_go)
{
    Scratch scratch;
    OK(sys::open(scratch / "a", O_WRONLY | O_CREAT));
    OK(sys::link(scratch / "a", scratch / "b"));
    OK(sys::rename(scratch / "a", scratch / "c"));
    OK(sys::mkdir(scratch / "d", 0700));
    auto directory = sys::open(scratch.path, O_RDONLY | O_DIRECTORY).take();
    auto names = sys::list_directory(directory.get()).take();
    std::ranges::sort(names);
    EQ(names.size(), 3u);
    EQ(names[0] + names[1] + names[2], "bcd");
    EQ(sys::list_directory(directory.get())->size(), 3u);  // the offset of the descriptor did not move
    EQ(sys::stat(scratch / "b")->st_nlink, 2u);
    OK(sys::rmdir(scratch / "d"));
    OK(sys::unlink(scratch / "b"));
    EQ(sys::unlink(scratch / "b").error().kind, Kind::NotFound);
}
END_TEST

TEST(times_and_sizes_are_set)
{
    Scratch scratch;
    auto fd = sys::open(scratch / "file", O_RDWR | O_CREAT).take();
    OK(sys::set_times(fd.get(), 1'700'000'000'123'456));
    auto status = sys::fstat(fd.get()).take();
    EQ(status.st_mtim.tv_sec, 1'700'000'000);
    EQ(status.st_mtim.tv_nsec, 123'456'000);
    OK(sys::set_times(fd.get(), -1));
    EQ(sys::fstat(fd.get())->st_mtim.tv_nsec, 999'999'000);
    OK(sys::ftruncate(fd.get(), 5000));
    EQ(sys::fstat(fd.get())->st_size, 5000);
    OK(sys::fallocate_keep_size(fd.get(), 0, 100'000));
    EQ(sys::fstat(fd.get())->st_size, 5000);
    OK(sys::fchmod(fd.get(), 0604));
    EQ(sys::fstat(fd.get())->st_mode & 07777, 0604u);
    auto space = sys::free_space(fd.get()).take();
    THAT(space.bytes > 0 && space.inodes > 0);
}
END_TEST

TEST(locks_exclude_and_share)
{
    Scratch scratch;
    auto one = sys::open(scratch / "file", O_RDWR | O_CREAT).take();
    auto two = sys::open(scratch / "file", O_RDWR).take();
    THAT(*sys::try_lock_shared(one.get()));
    THAT(*sys::try_lock_shared(two.get()));
    THAT(!*sys::try_lock_exclusive(two.get()));
    one.reset();
    THAT(*sys::try_lock_exclusive(two.get()));
    auto three = sys::open(scratch / "file", O_RDWR).take();
    THAT(!*sys::try_lock_shared(three.get()));
}
END_TEST

TEST(a_sealed_memory_file_never_changes)
{
    auto memory = sys::memfd("test").take();
    OK(sys::write_all(memory.get(), "certificates"));
    THAT(!sys::is_sealed(memory.get()));
    OK(sys::seal(memory.get()));
    THAT(sys::is_sealed(memory.get()));
    EQ(sys::pwrite_all(memory.get(), "x", 0).error().code, EPERM);
    EQ(sys::ftruncate(memory.get(), 0).error().code, EPERM);
    THAT(!sys::is_sealed(STDERR_FILENO));
}
END_TEST

TEST(replacing_a_file_is_all_or_nothing)
{
    Scratch scratch;
    OK(sys::replace_file(scratch / "file", "one", 0640));
    OK(sys::replace_file(scratch / "file", "two"));
    EQ(*sys::read_file(scratch / "file", 100), "two");
    EQ(sys::stat(scratch / "file")->st_mode & 07777, 0644u);
    auto directory = sys::open(scratch.path, O_RDONLY | O_DIRECTORY).take();
    EQ(sys::list_directory(directory.get())->size(), 1u);
    EQ(sys::replace_file(scratch / "none/file", "x").error().kind, Kind::NotFound);
}
END_TEST

TEST(closing_from_a_number_leaves_those_below)
{
    pid_t child = ::fork();
    if (child == 0) {
        ::dup2(STDERR_FILENO, 50);
        ::dup2(STDERR_FILENO, 51);
        bool good = sys::close_from(51).ok() && ::fcntl(50, F_GETFD) >= 0 && ::fcntl(51, F_GETFD) < 0;
        ::_exit(good ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EQ(status, 0);
}
END_TEST

TEST(peers_are_known)
{
    auto pair = sys::socket_pair(SOCK_STREAM).take();
    auto peer = sys::peer_credentials(pair.first.get()).take();
    EQ(peer.pid, ::getpid());
    EQ(peer.uid, ::getuid());
    OK(sys::set_nonblocking(pair.first.get(), true));
    char buffer[1];
    EQ(sys::read(pair.first.get(), buffer).error().code, EAGAIN);
    EQ(sys::peer_credentials(0).ok(), false);
}
END_TEST

TEST(a_socket_is_told_from_all_others)
{
    auto pair = sys::socket_pair(SOCK_STREAM).take();
    auto other = sys::socket_pair(SOCK_STREAM).take();
    auto copy = sys::duplicate(pair.first.get()).take();
    auto cookie = sys::socket_cookie(pair.first.get());
    OK(cookie);
    THAT(*cookie != 0);
    EQ(sys::socket_cookie(copy.get()).value_or(0), *cookie);
    for (int fd : {pair.second.get(), other.first.get(), other.second.get()})
        THAT(sys::socket_cookie(fd).value_or(0) != *cookie);
    THAT(!sys::socket_cookie(sys::open("/dev/null", O_RDONLY)->get()).ok());
}
END_TEST

SUITE(sys, a_socket_is_told_from_all_others, errors_have_kinds_that_mail_understands, descriptors_close_on_exec,
      writes_all_pieces_and_reads_them_back, a_pipe_that_is_full_takes_the_rest_later, reading_whole_files_is_bounded,
      a_nameless_file_gets_its_name_once, names_change_and_go, times_and_sizes_are_set, locks_exclude_and_share,
      a_sealed_memory_file_never_changes, replacing_a_file_is_all_or_nothing, closing_from_a_number_leaves_those_below,
      peers_are_known)

}  // namespace
