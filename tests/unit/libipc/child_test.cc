// libipc/child.h, libipc/identity.h and the command line of libipc/server.h
#include "libipc/child.h"

#include "libipc/check_mode.h"
#include "libipc/connection.h"
#include "libipc/control.h"
#include "libipc/server.h"
#include "libutil/log.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

using namespace server;

namespace {

TEST(facts_travel_as_text)
{
    Facts facts{.slot = 4094, .listeners = 64, .unprivileged = true};
    auto back = Facts::decode(facts.encode()).take();
    EQ(back.slot, 4094u);
    EQ(back.listeners, 64u);
    THAT(back.unprivileged);
    OK(Facts::decode("1"));
    OK(Facts::decode("1 slot=0 something=new"));  // of the next release
    for (std::string_view bad :
         {"", "2 slot=1", "slot=1", "1 slot=4095", "1 slot=-1", "1 listeners=65", "1 unprivileged=2", "1 slot="})
        EQ(Facts::decode(bad).error().kind, util::Kind::Invalid);
}
END_TEST

TEST(the_scoreboard_is_shared_and_knows_who_is_free)
{
    Scoreboard mine = Scoreboard::create().take();
    Scoreboard theirs = Scoreboard::map(util::sys::duplicate(mine.fd()).take()).take();
    THAT(!mine.any_free());
    theirs.set(0, Scoreboard::Busy);
    theirs.set(Scoreboard::slots - 1, Scoreboard::Starting);
    THAT(mine.any_free());
    theirs.set(Scoreboard::slots - 1, Scoreboard::Idle);
    THAT(mine.any_free());
    EQ(mine.count(Scoreboard::Idle), 1u);
    theirs.set(Scoreboard::slots - 1, Scoreboard::Busy);
    THAT(!mine.any_free());
    EQ(mine.count(Scoreboard::Busy), 2u);
    THAT(!theirs.is_full());
    mine.set_full(true);
    THAT(theirs.is_full());
    THAT(!theirs.any_free());
    mine.set_full(false);
    THAT(!theirs.is_full());
    Scoreboard moved = std::move(mine);
    EQ(moved.get(0), Scoreboard::Busy);
}
END_TEST

TEST(workers_leave_notes_on_the_scoreboard)
{
    Scoreboard mine = Scoreboard::create().take();
    Scoreboard theirs = Scoreboard::map(util::sys::duplicate(mine.fd()).take()).take();
    EQ(mine.note(Scoreboard::slots - 1), "");
    theirs.set_note(Scoreboard::slots - 1, "client=192.0.2.1");
    theirs.set_note(0, std::string(Scoreboard::note_size + 1, 'x'));
    EQ(mine.note(Scoreboard::slots - 1), "client=192.0.2.1");
    EQ(mine.note(0), std::string(Scoreboard::note_size, 'x'));
    EQ(mine.note(1), "");
    EQ(mine.count(Scoreboard::Empty), Scoreboard::slots);
    theirs.set_note(0, "");
    EQ(mine.note(0), "");
    // One that died while it wrote has none, whatever is there; its successor's is whole.
    THAT(util::sys::pwrite_all(mine.fd(), "\x01\x05", Scoreboard::slots + 1).ok());
    EQ(mine.note(0), "");
    theirs.set_note(0, "next");
    EQ(mine.note(0), "next");
}
END_TEST

TEST(what_is_no_scoreboard_is_refused)
{
    auto small = util::sys::memfd("small").take();
    OK(util::sys::ftruncate(small.get(), 100));
    EQ(Scoreboard::map(std::move(small)).error().kind, util::Kind::Invalid);
    // Nobody can cut it off under those who use it.
    Scoreboard board = Scoreboard::create().take();
    THAT(!util::sys::ftruncate(board.fd(), 0).ok());
    // A child that writes nonsense counts as busy.
    THAT(util::sys::pwrite_all(board.fd(), "\xff", 7).ok());
    EQ(board.get(7), Scoreboard::Busy);
    THAT(!board.any_free());
}
END_TEST

// What a program prints that is started as a child.
std::string output_of(std::string path, std::vector<std::string> arguments)
{
    auto log = util::sys::socket_pair(SOCK_DGRAM).take();
    auto control = util::sys::socket_pair(SOCK_SEQPACKET).take();
    auto report = util::sys::socket_pair(SOCK_STREAM).take();
    util::UniqueFd secret(::open("/etc/passwd", O_RDONLY));  // not close-on-exec: a mistake of somebody
    ChildSpec spec;
    spec.path = std::move(path);
    spec.arguments = std::move(arguments);
    spec.environment = {"OTHER=x", "LC_ALL=C"};
    spec.facts.slot = 3;
    spec.log = log.first.get();
    spec.control = control.first.get();
    spec.scoreboard = secret.get();
    spec.listeners = {report.first.get(), report.first.get()};
    // It writes to its standard output, which a child inherits.
    util::UniqueFd saved(::dup(STDOUT_FILENO));
    ::dup2(report.first.get(), STDOUT_FILENO);
    auto pid = spawn(spec);
    ::dup2(saved.get(), STDOUT_FILENO);
    ck_assert(pid.ok());
    int status = 0;
    ::waitpid(*pid, &status, 0);
    EQ(status, 0);
    char buffer[1000];
    ssize_t got = ::recv(report.second.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    return std::string(buffer, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
}

TEST(a_child_finds_its_descriptors_and_no_others)
{
    // 9 is that of ls itself, for the directory.
    EQ(output_of("/bin/ls", {"ls", "-x", "-w0", "/proc/self/fd"}), "0  1  2  3  4  5  6  7  8  9\n");
    EQ(output_of("/usr/bin/env", {"env"}), "OTHER=x\nLC_ALL=C\nTERN_CHILD=1 slot=3 listeners=2 unprivileged=0\n");
    EQ(output_of("/usr/bin/readlink", {"readlink", "/proc/self/fd/0", "/proc/self/fd/6"}), "/dev/null\n/dev/null\n");
}
END_TEST

TEST(a_child_that_cannot_start_says_why_in_the_log)
{
    auto log = util::sys::socket_pair(SOCK_DGRAM).take();
    util::log::to_socket("master", log.first.get());
    ChildSpec spec;
    spec.path = "/nonexistent/smtpd";
    spec.arguments = {"smtpd"};
    auto pid = spawn(spec).take();
    int status = 0;
    ::waitpid(pid, &status, 0);
    EQ(WEXITSTATUS(status), 127);
    char buffer[1000];
    ssize_t got = ::recv(log.second.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    EQ(std::string_view(buffer, static_cast<std::size_t>(std::max<ssize_t>(got, 0))),
       "F master exec /nonexistent/smtpd: No such file or directory");
}
END_TEST

TEST(owners_are_names_or_numbers)
{
    auto number = resolve_owner("1899999000").take();
    EQ(number.uid, 1899999000u);
    EQ(number.gid, 1899999000u);
    EQ(resolve_owner("root")->uid, 0u);
    EQ(*resolve_group("1899999001"), 1899999001u);
    EQ(resolve_owner("nobody-of-this-name").error().kind, util::Kind::NotFound);
    EQ(resolve_group("nobody-of-this-name").error().kind, util::Kind::NotFound);
    for (std::string_view bad : {"1x", "4294967295", "99999999999999999999"})
        EQ(resolve_owner(bad).error().kind, util::Kind::Invalid);
    conf::Common common;
    EQ(identity_of(common, "smtpd", true)->uid, ::geteuid());
    EQ(identity_of(common, "usher", false)->uid, 0u);
    THAT(!identity_of(common, "unknown", false).ok());
}
END_TEST

TEST(the_command_line_of_a_daemon_is_read)
{
    std::string words[] = {"smtpd", "-n", "smtp", "-t", "inet",  "-c", "/etc/tern", "-v",
                           "-v",    "-o", "a=b",  "-o", "c=d e", "x",  "-y"};
    std::vector<char*> pointers;
    for (std::string& word : words)
        pointers.push_back(word.data());
    auto arguments = Arguments::parse(static_cast<int>(pointers.size()), pointers.data()).take();
    EQ(arguments.service, "smtp");
    EQ(arguments.type, "inet");
    EQ(arguments.config_directory, "/etc/tern");
    EQ(arguments.verbose, 2u);
    EQ(arguments.overrides.size(), 2u);
    EQ(arguments.overrides[1], "c=d e");
    EQ(arguments.rest.size(), 2u);
    EQ(arguments.rest[1], "-y");
    EQ(Arguments::parse(1, pointers.data()).error().kind, util::Kind::Invalid);
    std::string unknown = "-Z";
    pointers[1] = unknown.data();
    EQ(Arguments::parse(2, pointers.data()).error().kind, util::Kind::Invalid);
}
END_TEST

TEST(a_reported_problem_stays_on_its_line)
{
    conf::Problems problems;
    problems.add("/etc/tern/main.cf", 12, "max_use: not\ta\nnumber");
    problems.warn("/etc/tern/main.cf", 0, "hm");
    EQ(report_line(problems.all()[0]), "/etc/tern/main.cf\t12\te\tmax_use: not a number");
    EQ(report_line(problems.all()[1]), "/etc/tern/main.cf\t0\tw\thm");
}
END_TEST

SUITE(child, facts_travel_as_text, the_scoreboard_is_shared_and_knows_who_is_free, workers_leave_notes_on_the_scoreboard,
      what_is_no_scoreboard_is_refused,
      a_child_finds_its_descriptors_and_no_others, a_child_that_cannot_start_says_why_in_the_log, owners_are_names_or_numbers,
      the_command_line_of_a_daemon_is_read, a_reported_problem_stays_on_its_line)

}  // namespace
