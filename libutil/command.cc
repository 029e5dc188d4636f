#include "libutil/command.h"

#include "libutil/sys.h"
#include "libutil/text.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

namespace util {

void close_all_but(std::vector<int> kept, int first)
{
    std::ranges::sort(kept);
    unsigned next = static_cast<unsigned>(first);
    for (int fd : kept) {
        if (fd < 0 || static_cast<unsigned>(fd) < next)
            continue;
        if (static_cast<unsigned>(fd) > next)
            (void)::close_range(next, static_cast<unsigned>(fd) - 1, 0);
        next = static_cast<unsigned>(fd) + 1;
    }
    (void)::close_range(next, ~0U, 0);
}

Result<void> limit_command(std::uint64_t file_size, std::uint64_t processes)
{
    rlimit none{0, 0};
    if (::setrlimit(RLIMIT_CORE, &none) < 0)
        return system_error("setrlimit", errno);
    rlimit size{file_size, file_size};
    if (file_size > 0 && ::setrlimit(RLIMIT_FSIZE, &size) < 0)
        return system_error("setrlimit", errno);
    rlimit count{processes, processes};
    if (processes > 0 && ::setrlimit(RLIMIT_NPROC, &count) < 0)
        return system_error("setrlimit", errno);
    return {};
}

Result<void> place_command_descriptors(int input, int output, int& result)
{
    int high[] = {::fcntl(input, F_DUPFD_CLOEXEC, 10), ::fcntl(output, F_DUPFD_CLOEXEC, 10),
                  ::fcntl(result, F_DUPFD_CLOEXEC, 10)};
    for (int fd : high)
        if (fd < 0)
            return system_error("descriptors", errno);
    if (::dup2(high[0], 0) < 0 || ::dup2(high[1], 1) < 0 || ::dup2(high[1], 2) < 0 || ::dup3(high[2], 3, O_CLOEXEC) < 0)
        return system_error("dup2", errno);
    result = 3;
    return sys::close_from(4);
}

void reset_signals()
{
    for (int number = 1; number < NSIG; ++number)
        if (number != SIGKILL && number != SIGSTOP)
            ::signal(number, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

namespace {

std::vector<char*> pointers(std::vector<std::string>& texts)
{
    std::vector<char*> out;
    for (std::string& text : texts)
        out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

// The errno of the last try.
int try_all_places(const std::string& name, char* const* arguments, char* const* environment)
{
    if (name.find('/') != std::string::npos) {
        ::execve(name.c_str(), arguments, environment);
        return errno;
    }
    int error = ENOENT;
    for (std::string_view directory : split(command_path, ':')) {
        ::execve(concat(directory, "/", name).c_str(), arguments, environment);
        if (errno != ENOENT)
            error = errno;
    }
    return error;
}

}  // namespace

void execute_command(std::vector<std::string> arguments, std::vector<std::string> environment)
{
    reset_signals();
    auto words = pointers(arguments);
    auto variables = pointers(environment);
    int error = try_all_places(arguments[0], words.data(), variables.data());
    (void)sys::write_all(STDERR_FILENO, concat("cannot execute ", arguments[0], ": ", std::strerror(error), "\n"));
    ::_exit(EX_TEMPFAIL);
}

}  // namespace util
