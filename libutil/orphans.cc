// Orphans.
#include "libutil/orphans.h"

#include "libutil/sys.h"
#include "libutil/text.h"

#include <cerrno>
#include <csignal>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace util {

namespace {

constexpr std::size_t max_children_text = 1'000'000;

}  // namespace

Result<void> adopt_orphans()
{
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        return system_error("prctl", errno);
    return {};
}

std::size_t kill_orphans(const std::function<bool(pid_t)>& is_known)
{
    auto text = sys::read_file(concat("/proc/self/task/", ::getpid(), "/children"), max_children_text);
    if (!text.ok())
        return 0;
    std::size_t count = 0;
    for (std::string_view word : split_words(*text, " \n")) {
        auto pid = parse_unsigned(word, INT32_MAX);
        if (!pid.ok() || *pid < 2 || is_known(pid_t(*pid)))
            continue;
        ::kill(pid_t(*pid), SIGKILL);
        ++count;
    }
    return count;
}

void end_group(pid_t pid)
{
    ::kill(-pid, SIGKILL);
    ::kill(pid, SIGKILL);
}

void bury_groups(const std::function<void(pid_t pid, int wait_status)>& ended)
{
    for (;;) {
        siginfo_t info{};
        if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
            return;
        // Until the process is buried nobody else has its number.
        ::kill(-info.si_pid, SIGKILL);
        int status = 0;
        (void)::waitpid(info.si_pid, &status, 0);
        ended(info.si_pid, status);
    }
}

}  // namespace util
