// Every service's program checks its own parameters.
#include "libipc/check_mode.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "libutil/time.h"
#include "master/plan.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>

namespace master {

namespace {

constexpr std::size_t max_report = 1'000'000;
constexpr auto check_timeout = std::chrono::seconds(30);

// Everything that the program writes, and how it ended; a program that hangs is killed.
struct Report {
    std::string text;
    int status = 0;
};

util::Result<Report> run_program(const ServicePlan& service, const std::string& config_directory)
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0)
        return util::system_error("pipe", errno);
    util::UniqueFd in(ends[0]), out(ends[1]);
    auto words = service.command_line(config_directory, false, false);
    std::vector<char*> arguments;
    for (std::string& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::string variable = util::concat("TERN_CHILD=", server::check_mode);
    char* environment[] = {variable.data(), nullptr};
    pid_t pid = ::fork();
    if (pid < 0)
        return util::system_error("fork", errno);
    if (pid == 0) {
        ::dup2(out.get(), STDOUT_FILENO);
        ::execve(service.path.c_str(), arguments.data(), environment);
        ::_exit(127);
    }
    out.reset();
    Report report;
    auto deadline = util::Deadline::in(check_timeout);
    char buffer[4096];
    for (;;) {
        pollfd wait{.fd = in.get(), .events = POLLIN, .revents = 0};
        if (::poll(&wait, 1, deadline.poll_milliseconds()) == 0) {
            ::kill(pid, SIGKILL);
            break;
        }
        ssize_t got = ::read(in.get(), buffer, sizeof buffer);
        if (got == 0 || (got < 0 && errno != EINTR))
            break;
        if (got > 0 && report.text.size() < max_report)
            report.text.append(buffer, static_cast<std::size_t>(got));
    }
    while (::waitpid(pid, &report.status, 0) < 0 && errno == EINTR) {
    }
    return report;
}

// A line is "FILE\tLINE\t[e|w]\tTEXT" (server::report_problems).  Without a file it is about one of the
// service's overrides, with own_line about its program's own words.
void add_line(std::string_view line, const conf::Service& service, std::vector<std::string>& seen, conf::Problems& problems)
{
    auto parts = util::split(line, '\t');
    if (parts.size() != 4 || std::ranges::find(seen, line) != seen.end())
        return;
    if (parts[0].empty()) {
        std::string text = util::concat(service.id(), ": -o ", parts[3]);
        return parts[2] == "w" ? problems.warn(service.file, service.first_line, std::move(text))
                               : problems.add(service.file, service.first_line, std::move(text));
    }
    if (parts[0] == server::own_line)
        return parts[2] == "w" ? problems.warn(service.file, service.first_line, util::concat(service.id(), ": ", parts[3]))
                               : problems.add(service.file, service.first_line, util::concat(service.id(), ": ", parts[3]));
    seen.emplace_back(line);
    int number = static_cast<int>(util::parse_unsigned(parts[1], 1'000'000'000).value_or(0));
    if (parts[2] == "w")
        problems.warn(parts[0], number, std::string(parts[3]));
    else
        problems.add(parts[0], number, std::string(parts[3]));
}

}  // namespace

void check_programs(const Plan& plan, conf::Problems& problems)
{
    std::vector<std::string> seen;  // what is wrong in main.cf, every program says
    for (const conf::Problem& problem : problems.all())
        seen.push_back(server::report_line(problem));
    for (const ServicePlan& service : plan.services) {
        if (::access(service.path.c_str(), X_OK) != 0)
            continue;  // said already
        auto report = run_program(service, plan.config_directory);
        if (!report) {
            problems.add(service.entry.file, service.entry.first_line,
                         util::concat(service.entry.command, ": ", report.error().text));
            continue;
        }
        for (std::string_view line : util::split(report->text, '\n'))
            add_line(line, service.entry, seen, problems);
        bool told = WIFEXITED(report->status) &&
                    (WEXITSTATUS(report->status) == 0 || WEXITSTATUS(report->status) == server::check_found_errors);
        if (!told)
            problems.add(service.entry.file, service.entry.first_line,
                         util::concat(service.entry.command, ": the program cannot check its parameters (wait status ",
                                      report->status, ")"));
    }
}

}  // namespace master
