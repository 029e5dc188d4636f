#include "usher/launcher.h"

#include "libipc/connection.h"
#include "libutil/log.h"
#include "libutil/sanitizer.h"
#include "tests/unit/libstore/fixture.h"
#include "usher/home.h"

#include <csignal>
#include <set>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace test;

constexpr uid_t user = 123'456;

bool is_root() { return ::geteuid() == 0; }

mode_t mode_of(const std::string& path)
{
    auto status = util::sys::lstat(path);
    OK(status);
    return status->st_mode & 07777;
}

uid_t owner_of(const std::string& path)
{
    auto status = util::sys::lstat(path);
    OK(status);
    return status->st_uid;
}

TEST(makes_a_home_and_its_parents)
{
    Directory directory;
    std::string root = directory.beside("mail");
    std::string home = util::concat(root, "/example.org/user");
    ::umask(077);
    uid_t uid = is_root() ? user : ::geteuid();
    OK(usher::prepare_home(root, home, uid, ::getegid(), !is_root()));
    OK(usher::prepare_home(root, home, uid, ::getegid(), !is_root()));
    EQ(mode_of(root), 0711);
    EQ(mode_of(root + "/example.org"), 0711);
    EQ(mode_of(home), 0700);
    EQ(owner_of(home), uid);
    EQ(owner_of(root + "/example.org"), ::geteuid());
}
END_TEST

TEST(follows_no_symbolic_link_and_takes_no_other_users_home)
{
    Directory directory;
    std::string root = directory.beside("mail");
    uid_t uid = is_root() ? user : ::geteuid();
    OK(usher::prepare_home(root, root + "/a/user", uid, ::getegid(), !is_root()));
    ck_assert(::symlink("/tmp", (root + "/link").c_str()) == 0);
    ck_assert(::symlink("user", (root + "/a/alias").c_str()) == 0);
    for (const char* bad : {"/link/x", "/a/alias", "/../x", "/a/./b", "/", ""})
        THAT(!usher::prepare_home(root, root + bad, uid, ::getegid(), !is_root()).ok());
    THAT(!usher::prepare_home(root, "relative", uid, ::getegid(), !is_root()).ok());
    auto other = usher::prepare_home(root, root + "/a/user", uid + 1, ::getegid(), !is_root());
    THAT(!other.ok());
    EQ(other.error().kind, util::Kind::Permanent);
    auto elsewhere = usher::prepare_home(root, directory.beside("mailbox"), uid, ::getegid(), !is_root());
    THAT(!elsewhere.ok());
    EQ(elsewhere.error().kind, util::Kind::Permanent);
}
END_TEST

TEST(mends_a_home_that_a_crash_left_without_its_owner)
{
    if (!is_root())
        return;
    Directory directory;
    std::string home = directory.beside("user");
    OK(util::sys::mkdir(home, 0700));
    OK(usher::prepare_home(directory.path, home, user, user, false));
    EQ(owner_of(home), user);
    // With something in it, it is not a fresh one.
    std::string full = directory.beside("full");
    OK(util::sys::mkdir(full, 0700));
    OK(util::sys::mkdir(full + "/inner", 0700));
    THAT(!usher::prepare_home(directory.path, full, user, user, false).ok());
}
END_TEST

// Runs a program in the place of mailbox(8) that looks at itself and tells through its exit status.
int status_of(const std::string& script, usher::LaunchSettings settings, const Directory& directory, uid_t uid)
{
    std::string program = directory.beside("program");
    auto file = util::sys::open(program, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    OK(file);
    OK(util::sys::write_all(file->get(), util::concat("#!/bin/bash\n", script, "\n")));
    file->reset();
    OK(util::sys::chmod(program, 0755));
    OK(util::sys::chmod(directory.path, 0755));
    settings.program = program;
    settings.mail_store_directory = directory.beside("mail");
    settings.own_uid = !is_root();
    auto launcher = usher::ProcessLauncher::create(std::move(settings));
    OK(launcher);
    usher::Identity identity{.account = "user@example.org", .uid = uid, .gid = uid,
                             .home = directory.beside("mail/user")};
    auto launched = launcher->launch(identity, usher::Layout::Own);
    OK(launched);
    int status = 0;
    ck_assert(::waitpid(launched->pid, &status, 0) == launched->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

TEST(gives_the_child_its_uid_and_nothing_else)
{
    Directory directory;
    uid_t uid = is_root() ? user : ::geteuid();
    auto inherited = util::sys::open("/etc/passwd", O_RDONLY);
    OK(inherited);
    ::dup2(inherited->get(), 77);   // not close-on-exec
    std::string script = util::concat(
        "[ \"$(id -u)\" = ", uid, " ] || exit 1\n",
        is_root() ? "[ \"$(id -G)\" = 123456 ] || exit 2\n" : "",
        "[ \"$1\" = user@example.org ] || exit 3\n"
        "[ -S /proc/self/fd/3 ] || exit 4\n"
        "[ -e /proc/self/fd/4 ] && exit 5\n"
        "[ -e /proc/self/fd/77 ] && exit 6\n"
        "[ \"$(readlink /proc/self/fd/0)\" = /dev/null ] || exit 7\n"
        "[ -z \"$HOME$USER$LD_PRELOAD$SECRET\" ] || exit 8\n"
        "[ \"$(ulimit -c)\" = 0 ] || exit 9\n"
        "[ \"$(ulimit -n)\" = 300 ] || exit 10\n"
        "[ \"$(pwd)\" = / ] || exit 11\n"
        "[ \"$(umask)\" = 0077 ] || exit 12\n");
    ::setenv("SECRET", "x", 1);
    usher::LaunchSettings settings;
    settings.open_files = 300;
    EQ(status_of(script, settings, directory, uid), 0);
}
END_TEST

TEST(hands_over_the_log_socket)
{
    Directory directory;
    auto pair = util::sys::socket_pair(SOCK_DGRAM);
    OK(pair);
    usher::LaunchSettings settings;
    settings.log_socket = pair->first.get();
    EQ(status_of("[ -S /proc/self/fd/4 ] || exit 1\n[ -e /proc/self/fd/5 ] && exit 2\nexit 0", settings, directory,
                 is_root() ? user : ::geteuid()),
       0);
}
END_TEST

TEST(sends_the_settings_before_all)
{
    Directory directory;
    EQ(status_of("[ \"$(head -c 8 <&3)\" = settings ]", {}, directory, is_root() ? user : ::geteuid()), 0);
}
END_TEST

TEST(never_runs_a_mailbox_as_root)
{
    Directory directory;
    usher::LaunchSettings settings;
    settings.program = "/bin/true";
    settings.mail_store_directory = directory.path;
    auto launcher = usher::ProcessLauncher::create(std::move(settings));
    OK(launcher);
    for (auto [uid, gid] : {std::pair<uid_t, gid_t>{0, 100}, {100, 0}}) {
        usher::Identity identity{.account = "a@b", .uid = uid, .gid = gid, .home = directory.beside("u")};
        THAT(!launcher->launch(identity, usher::Layout::Own).ok());
    }
}
END_TEST

TEST(a_burst_begins_with_the_start_after_so_many_within_the_time)
{
    auto burst_of = [](std::size_t starts, util::Duration last) {
        usher::Burst burst;
        util::Instant begin = util::now();
        for (std::size_t i = 1; i < starts; ++i)
            THAT(!burst.starts(begin));
        return burst.starts(begin + last);
    };
    util::Duration inside = usher::burst_time - util::Duration(1);
    THAT(!burst_of(usher::burst_starts, util::Duration(0)));
    THAT(burst_of(usher::burst_starts + 1, util::Duration(0)));
    THAT(burst_of(usher::burst_starts + 1, inside));
    THAT(!burst_of(usher::burst_starts + 1, usher::burst_time));
    // It lasts while they come so close together, and no longer.
    usher::Burst burst;
    util::Instant now = util::now();
    for (std::size_t i = 0; i < 5 * usher::burst_starts; ++i)
        EQ(burst.starts(now + inside / usher::burst_starts * i), i >= usher::burst_starts);
    now += inside * 5;
    for (std::size_t i = 0; i < usher::burst_starts; ++i)
        THAT(!burst.starts(now + usher::burst_time));
    THAT(burst.starts(now + usher::burst_time));
}
END_TEST

TEST(a_fork_server_that_dies_is_told_of_and_done_without)
{
    if (util::sanitizer::on)
        return;   // there are none
    Directory directory;
    std::string program = directory.beside("program");
    // What is to be a fork server has the title that it will give to its processes.
    OK(util::sys::replace_file(program, "#!/bin/sh\ncase $1 in '(forks)'*) kill -SEGV $$ ;; esac\n", 0755));
    OK(util::sys::chmod(directory.path, 0755));
    auto log = util::sys::socket_pair(SOCK_DGRAM).take();
    util::log::to_socket("usher", log.first.get());
    auto logged = [&] {
        char buffer[1000];
        ssize_t got = ::recv(log.second.get(), buffer, sizeof buffer, MSG_DONTWAIT);
        return std::string(buffer, std::size_t(std::max<ssize_t>(got, 0)));
    };
    usher::LaunchSettings settings;
    settings.program = program;
    settings.mail_store_directory = directory.beside("mail");
    settings.own_uid = !is_root();
    auto launcher = usher::ProcessLauncher::create(std::move(settings));
    OK(launcher);
    usher::Identity identity{.account = "user@example.org", .uid = is_root() ? user : ::geteuid(), .gid = user,
                             .home = directory.beside("mail/user")};
    if (!is_root())
        identity.gid = ::getegid();
    std::set<pid_t> mailboxes;
    std::string said;
    for (int i = 0; i < 1000 && said.empty(); ++i) {   // until there are enough within the time
        auto launched = launcher->launch(identity, usher::Layout::Any);
        OK(launched);
        THAT(!launched->forked);
        mailboxes.insert(launched->pid);
        said = logged();
    }
    THAT(said.starts_with("W usher a mailbox process is started without a fork server: "));
    int servers = 0;
    for (int status = 0; pid_t pid = ::waitpid(-1, &status, 0);) {
        if (pid < 0)
            break;
        if (mailboxes.erase(pid) > 0)
            continue;
        ++servers;
        launcher->exited(pid, status);
        EQ(logged(), util::concat("W usher a fork server of mailboxes (pid ", pid, ") ended by signal ", SIGSEGV));
        launcher->exited(pid, 0);
        EQ(logged(), "");
    }
    EQ(servers, 1);
    util::log::to_stderr("test");
}
END_TEST

SUITE(launcher, a_burst_begins_with_the_start_after_so_many_within_the_time,
      a_fork_server_that_dies_is_told_of_and_done_without, makes_a_home_and_its_parents,
      follows_no_symbolic_link_and_takes_no_other_users_home, mends_a_home_that_a_crash_left_without_its_owner,
      gives_the_child_its_uid_and_nothing_else, hands_over_the_log_socket, sends_the_settings_before_all,
      never_runs_a_mailbox_as_root)

}  // namespace
