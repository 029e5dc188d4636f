// tern start, start-fg and check.
#include "tools/tern/start.h"

#include "tools/tern/doubts.h"

#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace tern {

namespace {

int fail(int status, std::string_view text)
{
    print(STDERR_FILENO, util::concat("tern: ", text, "\n"));
    return status;
}

[[noreturn]] void exec_master(const Instance& instance, std::vector<std::string> arguments)
{
    std::string program = instance.master_program();
    arguments.insert(arguments.begin(), {"master", "-c", instance.config_directory()});
    std::vector<char*> pointers;
    for (std::string& argument : arguments)
        pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    ::execv(program.c_str(), pointers.data());
    int code = errno;
    ::_exit(fail(EX_UNAVAILABLE, util::system_error(program, code).text));
}

// Runs in the new process: nothing of the terminal but standard error stays, until master is up.
[[noreturn]] void become_master(const Instance& instance, int report, bool verbose)
{
    ::setsid();
    int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, STDIN_FILENO);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(report, STDERR_FILENO);
    int copy = ::dup(report);  // without close-on-exec
    if (null > STDERR_FILENO)
        ::close(null);
    ::close_range(static_cast<unsigned>(copy) + 1, ~0u, 0);
    std::vector<std::string> arguments{"-R", util::concat(copy)};
    if (verbose)
        arguments.push_back("-v");
    exec_master(instance, std::move(arguments));
}

}  // namespace

void print(int fd, std::string_view text)
{
    while (!text.empty()) {
        ssize_t wrote = ::write(fd, text.data(), text.size());
        if (wrote <= 0)
            return;  // nobody reads
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
}

int complain(int status, std::string_view text)
{
    print(STDERR_FILENO, util::concat("tern: ", text, "\n"));
    return status;
}

int start(const Instance& instance, bool verbose)
{
    auto running = instance.running();
    if (!running)
        return fail(EX_NOPERM, running.error().text);
    if (*running)
        return fail(EX_TEMPFAIL, util::concat("the mail system is already running as process ", **running));
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0)
        return fail(EX_OSERR, util::system_error("pipe", errno).text);
    util::UniqueFd in(ends[0]), out(ends[1]);
    pid_t pid = ::fork();
    if (pid < 0)
        return fail(EX_OSERR, util::system_error("fork", errno).text);
    if (pid == 0)
        become_master(instance, out.get(), verbose);
    out.reset();

    // Until "ready", or until master is gone.
    std::string report;
    char buffer[4096];
    for (;;) {
        ssize_t got = ::read(in.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR)
            continue;
        if (got > 0)
            report.append(buffer, static_cast<std::size_t>(got));
        bool ready = report == "ready\n" || report.ends_with("\nready\n");
        if (ready) {
            report.resize(report.size() - 6);
            print(STDERR_FILENO, report);
            return 0;
        }
        if (got <= 0)
            break;
    }
    print(STDERR_FILENO, report);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
    return fail(code == 0 ? EX_TEMPFAIL : code, "the mail system did not start");
}

int start_in_foreground(const Instance& instance, bool verbose)
{
    std::vector<std::string> arguments{"-f"};
    if (verbose)
        arguments.push_back("-v");
    exec_master(instance, std::move(arguments));
}

int check(const Instance& instance)
{
    print(STDERR_FILENO, doubts_about(instance.config_directory()));
    exec_master(instance, {"-k"});
}

int set_permissions(const Instance& instance)
{
    exec_master(instance, {"-p"});
}

}  // namespace tern
