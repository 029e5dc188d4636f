// master(8): starts, watches, limits and replaces Tern's daemons.
//
//   master -c DIR           runs until told to stop
//   master -c DIR -k        only checks the configuration: 0, or 78 and what is wrong
//   master -c DIR -p        only makes directories and sets owners and modes (tern set-permissions)
//   -f log lines also to standard output, -v verbose, -R FD where to report that it is up
#include "libutil/log.h"
#include "libutil/sanitizer.h"
#include "libutil/sys.h"
#include "master/directories.h"
#include "master/master.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

namespace {

constexpr int usage_error = 64;          // EX_USAGE
constexpr int configuration_error = 78;  // EX_CONFIG
constexpr int cannot_start = 75;         // EX_TEMPFAIL

struct CommandLine {
    master::Options options;
    bool check_only = false;
    bool prepare_only = false;
    bool wrong = false;
};

CommandLine parse(int argc, char** argv)
{
    CommandLine line;
    int option;
    while ((option = ::getopt(argc, argv, "c:fvkpR:")) != -1) {
        switch (option) {
        case 'c':
            line.options.config_directory = optarg;
            break;
        case 'f':
            line.options.foreground = true;
            break;
        case 'v':
            line.options.verbose = true;
            break;
        case 'k':
            line.check_only = true;
            break;
        case 'p':
            line.prepare_only = true;
            break;
        case 'R':
            line.options.report_to = static_cast<int>(util::parse_unsigned(optarg, 1000).value_or(STDERR_FILENO));
            break;
        default:
            line.wrong = true;
        }
    }
    line.wrong |= optind != argc || !line.options.config_directory.starts_with('/');
    return line;
}

void say(int fd, std::string_view text)
{
    if (!text.empty() && ::write(fd, text.data(), text.size()) < 0)
        std::exit(cannot_start);  // nobody listens
}

// As many descriptors as the kernel lets us: daemons inherit the limit and lower it themselves.
void raise_limits()
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int check(const master::Options& options)
{
    conf::Problems problems;
    auto plan = master::Plan::load(options.config_directory, ::geteuid() != 0, problems);
    master::check_programs(*plan, problems);
    say(STDERR_FILENO, problems.to_text());
    return problems.any() ? configuration_error : 0;
}

int prepare(const master::Options& options)
{
    bool unprivileged = ::geteuid() != 0;
    conf::Problems problems;
    auto plan = master::Plan::load(options.config_directory, unprivileged, problems);
    say(STDERR_FILENO, problems.to_text());
    if (problems.any())
        return configuration_error;
    auto done = master::prepare_directories(*plan, unprivileged);
    if (done && !unprivileged)
        done = master::prepare_terndrop(*plan);
    if (!done)
        say(STDERR_FILENO, util::concat("tern/master: fatal: ", done.error().text, "\n"));
    return done ? 0 : cannot_start;
}

}  // namespace

int main(int argc, char** argv)
{
    CommandLine line = parse(argc, argv);
    if (line.wrong) {
        say(STDERR_FILENO, "usage: master -c /config/directory [-f] [-k] [-p] [-v] [-R descriptor]\n");
        return usage_error;
    }
    util::log::to_stderr("tern/master");
    ::umask(022);
    ::signal(SIGPIPE, SIG_IGN);
    if (::chdir("/") < 0)
        return cannot_start;
    if (line.check_only)
        return check(line.options);
    if (line.prepare_only)
        return prepare(line.options);
    raise_limits();
    if (!util::sanitizer::on)
        ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // it holds the keys
    int report_to = line.options.report_to >= 0 ? line.options.report_to : STDERR_FILENO;
    if (line.options.report_to >= 0 && !util::sys::set_close_on_exec(report_to, true))
        return usage_error;
    conf::Problems problems;
    auto master = master::Master::start(std::move(line.options), problems);
    say(report_to, problems.to_text());
    if (!master) {
        if (!problems.any())
            say(report_to, util::concat("tern/master: fatal: ", master.error().text, "\n"));
        return problems.any() ? configuration_error : cannot_start;
    }
    (*master)->run();
    return 0;
}
