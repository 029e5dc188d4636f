#include "libstore/committer.h"

#include "tests/unit/libstore/fixture.h"

#include <atomic>
#include <poll.h>

#include <fcntl.h>

namespace {

using namespace test;

std::size_t threads()
{
    auto tasks = util::sys::open("/proc/self/task", O_RDONLY | O_DIRECTORY);
    OK(tasks);
    auto names = util::sys::list_directory(tasks->get());
    OK(names);
    return names->size();
}

bool is_ready(int fd)
{
    pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&wanted, 1, 0) == 1;
}

std::unique_ptr<store::Job> append_to(int fd, std::uint64_t offset, std::string bytes)
{
    auto job = std::make_unique<store::Job>();
    job->fd = fd;
    job->offset = offset;
    job->bytes = std::move(bytes);
    return job;
}

TEST(one_append_and_those_that_are_waited_for_need_no_thread)
{
    Directory directory;
    auto file = util::sys::open(directory.beside("file"), O_RDWR | O_CREAT);
    OK(file);
    auto committer = store::Committer::start();
    OK(committer);
    std::size_t before = threads();
    THAT((*committer)->submit(append_to(file->get(), 0, "a"), true));
    (*committer)->wait();
    THAT((*committer)->submit(append_to(file->get(), 1, "b")));
    THAT((*committer)->submit(append_to(file->get(), 2, "c"), true));
    EQ(threads(), before);
    THAT((*committer)->idle());
    EQ((*committer)->collect().size(), 3u);
    THAT(!(*committer)->submit(append_to(file->get(), 3, "d")));
    EQ(threads(), before + 1);
    (*committer)->wait();
    THAT(is_ready((*committer)->event_fd()));
    EQ((*committer)->collect().size(), 1u);
    THAT((*committer)->submit(append_to(file->get(), 4, "e"), true));   // it sleeps
    (*committer)->wait();
    EQ((*committer)->collect().size(), 1u);
    auto text = util::sys::read_file(directory.beside("file"), 100);
    OK(text);
    EQ(*text, "abcde");
}
END_TEST

TEST(who_serves_nobody_else_writes_himself_and_in_order)
{
    Directory directory;
    auto file = util::sys::open(directory.beside("file"), O_RDWR | O_CREAT);
    OK(file);
    auto committer = store::Committer::start();
    OK(committer);
    std::size_t before = threads();
    (*committer)->write_here(true);
    for (std::uint64_t i = 0; i < 3; ++i)
        THAT((*committer)->submit(append_to(file->get(), i, "x")));
    EQ(threads(), before);
    EQ((*committer)->collect().size(), 3u);
    // A task is the thread's, and what comes behind one that nobody has collected is, too.
    std::atomic<bool> go = false;
    auto task = std::make_unique<store::Job>();
    task->task = [&go]() -> util::Result<void> {
        go.wait(false);
        return {};
    };
    THAT(!(*committer)->submit(std::move(task)));
    THAT(!(*committer)->submit(append_to(file->get(), 3, "y")));
    go = true;
    go.notify_one();
    (*committer)->wait();
    THAT(!(*committer)->submit(append_to(file->get(), 4, "z")));
    (*committer)->wait();
    auto done = (*committer)->collect();
    EQ(done.size(), 3u);
    THAT(done[0]->task && !done[1]->task && !done[2]->task);
    THAT((*committer)->submit(append_to(file->get(), 5, "w")));
    (*committer)->write_here(false);
    THAT(!(*committer)->submit(append_to(file->get(), 6, "v")));
    (*committer)->wait();
    EQ((*committer)->collect().size(), 2u);
    auto text = util::sys::read_file(directory.beside("file"), 100);
    OK(text);
    EQ(*text, "xxxyzwv");
}
END_TEST

TEST(what_is_large_is_the_threads_work)
{
    Directory directory;
    auto file = util::sys::open(directory.beside("file"), O_RDWR | O_CREAT);
    OK(file);
    auto committer = store::Committer::start();
    OK(committer);
    (*committer)->write_here(true);
    std::size_t before = threads();
    const std::string most(store::max_written_here, 'm');
    THAT((*committer)->submit(append_to(file->get(), 0, most)));
    EQ(threads(), before);
    THAT(!(*committer)->submit(append_to(file->get(), most.size(), most + "o")));
    EQ(threads(), before + 1);
    (*committer)->wait();
    EQ((*committer)->collect().size(), 2u);
}
END_TEST

TEST(a_task_never_keeps_the_caller)
{
    auto committer = store::Committer::start();
    OK(committer);
    auto job = std::make_unique<store::Job>();
    job->task = [caller = std::this_thread::get_id()]() -> util::Result<void> {
        return std::this_thread::get_id() == caller ? util::Result<void>(util::temporary("here")) : util::Result<void>();
    };
    THAT(!(*committer)->submit(std::move(job)));
    (*committer)->wait();
    auto done = (*committer)->collect();
    EQ(done.size(), 1u);
    THAT(done[0]->result.ok());
}
END_TEST

TEST(a_failure_is_told_whoever_meets_it_and_nothing_is_written_after_it)
{
    for (bool waits : {false, true}) {
        Directory directory;
        auto file = util::sys::open(directory.beside("file"), O_RDWR | O_CREAT);
        OK(file);
        auto committer = store::Committer::start();
        OK(committer);
        THAT(!(*committer)->submit(append_to(-1, 0, "a"), waits));   // no such descriptor
        THAT(is_ready((*committer)->event_fd()));
        auto done = (*committer)->collect();
        EQ(done.size(), 1u);
        THAT(!done[0]->result.ok());
        // Here, and in the thread.
        THAT(!(*committer)->submit(append_to(file->get(), 0, "b"), true));
        THAT(!(*committer)->submit(append_to(file->get(), 0, "c")));
        THAT(!(*committer)->submit(append_to(file->get(), 0, "d")));
        (*committer)->wait();
        for (const auto& job : (*committer)->collect())
            THAT(!job->result.ok());
        auto text = util::sys::read_file(directory.beside("file"), 100);
        OK(text);
        EQ(*text, "");
    }
}
END_TEST

SUITE(committer, one_append_and_those_that_are_waited_for_need_no_thread,
      who_serves_nobody_else_writes_himself_and_in_order, what_is_large_is_the_threads_work, a_task_never_keeps_the_caller,
      a_failure_is_told_whoever_meets_it_and_nothing_is_written_after_it)

}  // namespace
