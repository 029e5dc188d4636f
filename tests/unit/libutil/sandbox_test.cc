// Limits, capabilities and the filter of system calls: each in a child, since all are for good.
#include "libutil/sandbox.h"

#include "libutil/sandbox_seccomp.h"
#include "libutil/sanitizer.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>

namespace {

constexpr std::uint64_t page = 4096;

// The wait status of a child that did this; it ends with what the function answers.
int in_a_child(const std::function<int()>& work)
{
    pid_t pid = ::fork();
    if (pid == 0)
        ::_exit(work());
    int status = -1;
    ck_assert_int_eq(::waitpid(pid, &status, 0), pid);
    return status;
}

bool ended_with(int status, int value) { return WIFEXITED(status) && WEXITSTATUS(status) == value; }

bool enter(util::Sandbox sandbox, util::Sandbox::Mode mode)
{
    return sandbox.prepare(mode).ok() && sandbox.enter().ok();
}

// A line "NAME: VALUE" of /proc/self/status.
std::string status_field(std::string_view name)
{
    auto fd = util::sys::open("/proc/self/status", O_RDONLY);
    std::string text(8192, '\0');
    ssize_t got = fd ? ::read(fd->get(), text.data(), text.size()) : 0;
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    for (std::string_view line : util::split(text, '\n')) {
        auto [field, value] = util::split_first(line, ':');
        if (field == name)
            return std::string(util::trim(value));
    }
    return {};
}

bool can_map(std::uint64_t bytes)
{
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    ::munmap(memory, bytes);
    return true;
}

TEST(memory_ends_at_the_limit)
{
    if (util::sanitizer::on)
        return;  // no such limit there
    constexpr std::uint64_t limit = 64U << 20;
    int status = in_a_child([] {
        if (!enter(util::Sandbox().limit_memory(limit), util::Sandbox::Mode::No))
            return 1;
        // "NUMBER kB", of what counts.
        std::string data = status_field("VmData");
        auto kilobytes = util::parse_unsigned(std::string_view(data).substr(0, data.find(' ')), limit);
        if (!kilobytes || *kilobytes == 0)
            return 2;
        std::uint64_t left = limit - *kilobytes * 1024;
        if (!can_map(left))
            return 3;
        return can_map(left + page) ? 4 : 0;
    });
    THAT(ended_with(status, 0));
}
END_TEST

TEST(root_keeps_the_capabilities_that_are_named)
{
    if (::geteuid() != 0)
        return;
    for (bool some : {true, false}) {
        int status = in_a_child([some] {
            util::Sandbox sandbox;
            sandbox.read("/proc");
            if (some)
                sandbox.capability(CAP_KILL).capability(CAP_SETUID);
            if (!enter(std::move(sandbox), util::Sandbox::Mode::Yes))
                return 1;
            for (const char* set : {"CapPrm", "CapEff", "CapBnd"}) {
                if (status_field(set) != (some ? "00000000000000a0" : "0000000000000000"))
                    return 2;
            }
            return status_field("CapInh") == "0000000000000000" ? 0 : 3;
        });
        THAT(ended_with(status, 0));
    }
}
END_TEST

// How a clone with these flags ends.  CLONE_THREAD without what it needs, or CLONE_FS with
// CLONE_NEWNS, is EINVAL in the kernel: what the filter lets through makes no process.
int clone_under(const util::SeccompChoice& choice, unsigned long flags)
{
    return in_a_child([&] {
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (!util::enter_seccomp(choice).value_or(false))
            return 1;
        long result = ::syscall(SYS_clone, flags, 0, 0, 0, 0);
        return result < 0 ? errno : 2;
    });
}

TEST(a_process_starts_others_in_its_own_namespaces_only)
{
    if (util::sanitizer::on)
        return;  // no seccomp there
    std::vector<int> none;
    util::SeccompChoice processes{.processes = true, .more = none};
    THAT(ended_with(clone_under(processes, CLONE_THREAD), EINVAL));
    for (unsigned long flag :
         {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET}) {
        int status = clone_under(processes, CLONE_THREAD | flag);
        ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "flag %lx: wait status %d", flag, status);
    }
}
END_TEST

TEST(a_process_with_threads_only_does_not_fork)
{
    if (util::sanitizer::on)
        return;
    std::vector<int> none;
    util::SeccompChoice threads{.threads = true, .more = none};
    THAT(ended_with(clone_under(threads, CLONE_THREAD | CLONE_VM), EINVAL));
    for (unsigned long flags : {0ul, static_cast<unsigned long>(SIGCHLD), static_cast<unsigned long>(CLONE_VM),
                                static_cast<unsigned long>(CLONE_THREAD), CLONE_VM | CLONE_VFORK | 0ul}) {
        int status = clone_under(threads, flags);
        ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "flags %lx: wait status %d", flags, status);
    }
    int neither = clone_under({.more = none}, CLONE_THREAD | CLONE_VM);
    THAT(WIFSIGNALED(neither) && WTERMSIG(neither) == SIGSYS);
}
END_TEST

SUITE(sandbox, memory_ends_at_the_limit, root_keeps_the_capabilities_that_are_named,
      a_process_starts_others_in_its_own_namespaces_only, a_process_with_threads_only_does_not_fork)

}  // namespace
