// Starting a mailbox process.
#include "usher/launcher.h"

#include "libipc/connection.h"
#include "libutil/log.h"
#include "libutil/sanitizer.h"
#include "libutil/sys.h"
#include "usher/home.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace usher {

namespace {

[[noreturn]] void give_up(std::string_view what)
{
    util::log::error("starting a mailbox: ", what, ": ", ::strerror(errno));
    ::_exit(127);
}

void limit(int resource, std::uint64_t value)
{
    rlimit limits{value, value};
    rlimit now{};
    if (::getrlimit(static_cast<__rlimit_resource>(resource), &now) == 0 && now.rlim_max < value)
        limits = {now.rlim_max, now.rlim_max};
    if (::setrlimit(static_cast<__rlimit_resource>(resource), &limits) < 0)
        give_up("setrlimit");
}

// All signals as after boot: an ignored or blocked one would survive the exec.
void reset_signals()
{
    for (int number = 1; number < NSIG; ++number) {
        if (number != SIGKILL && number != SIGSTOP)
            ::signal(number, SIG_DFL);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Puts control and log at their places and closes all else.
void arrange_descriptors(int null, int control, int log)
{
    // First out of the way of the low numbers, so that no dup2 closes what is still needed.
    int high_control = ::fcntl(control, F_DUPFD_CLOEXEC, 10);
    int high_log = log >= 0 ? ::fcntl(log, F_DUPFD_CLOEXEC, 10) : -1;
    int high_null = ::fcntl(null, F_DUPFD_CLOEXEC, 10);
    if (high_control < 0 || high_null < 0 || (log >= 0 && high_log < 0))
        give_up("descriptors");
    int last_null = util::sanitizer::on ? STDOUT_FILENO : STDERR_FILENO;
    for (int number = 0; number <= last_null; ++number) {
        if (::dup2(high_null, number) < 0)
            give_up("dup2");
    }
    if (::dup2(high_control, control_descriptor) < 0)
        give_up("dup2");
    unsigned first_closed = log_descriptor;
    if (log >= 0) {
        if (::dup2(high_log, log_descriptor) < 0)
            give_up("dup2");
        ++first_closed;
    }
    if (!util::sys::close_from(first_closed))
        give_up("close_range");
}

void change_identity(uid_t uid, gid_t gid)
{
    if (::setgroups(0, nullptr) < 0)
        give_up("setgroups");
    if (::setresgid(gid, gid, gid) < 0)
        give_up("setresgid");
    if (::setresuid(uid, uid, uid) < 0)
        give_up("setresuid");
    uid_t real = 0, effective = 0, saved = 0;
    if (::getresuid(&real, &effective, &saved) < 0 || real != uid || effective != uid || saved != uid ||
        ::setuid(0) == 0) {
        errno = EPERM;
        give_up("the identity did not change for good");
    }
}

}  // namespace

util::Result<ProcessLauncher> ProcessLauncher::create(LaunchSettings settings)
{
    util::UniqueFd null = TRY(util::sys::open("/dev/null", O_RDWR));
    return ProcessLauncher(std::move(settings), std::move(null));
}

util::Result<Launched> ProcessLauncher::launch(const Identity& identity)
{
    if (!settings_.own_uid && (identity.uid == 0 || identity.gid == 0))
        return util::permanent("a mailbox never runs as root");
    TRY(prepare_home(settings_.mail_store_directory, identity.home, identity.uid, identity.gid,
                     settings_.own_uid));
    util::sys::SocketPair pair = TRY(util::sys::socket_pair(SOCK_SEQPACKET));
    ipc::MailboxSettings mailbox = settings_.mailbox;
    mailbox.account = identity.account;
    mailbox.directory = identity.home;
    std::vector<int> none;
    TRY(ipc::send_packet(pair.first.get(), ipc::encode(mailbox, none), none, MSG_DONTWAIT));
    TRY(util::sys::set_nonblocking(pair.first.get(), true));

    pid_t pid = ::fork();
    if (pid < 0)
        return util::system_error("fork", errno);
    if (pid == 0)
        become(identity, pair.second.get());
    return Launched{.pid = pid, .control = std::move(pair.first)};
}

void ProcessLauncher::become(const Identity& identity, int control) const
{
    reset_signals();
    arrange_descriptors(null_.get(), control, settings_.log_socket);
    if (settings_.log_socket >= 0)
        util::log::to_socket("usher", log_descriptor);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, settings_.open_files);
    if (settings_.data_limit && !util::sanitizer::on)
        limit(RLIMIT_DATA, settings_.data_limit);
    if (!settings_.own_uid)
        change_identity(identity.uid, identity.gid);
    ::umask(077);
    if (::chdir("/") < 0)
        give_up("chdir /");
    // The account is an argument for those who look with ps(1); mailbox takes it from its settings.
    std::string name = "mailbox";
    std::string account = identity.account;
    char* arguments[] = {name.data(), account.data(), nullptr};
#ifdef TERN_FAULTS
    // The builds of crash tests: the mailbox's calls are recorded, too.
    const char* faults = ::getenv("TERN_FAULT_FILE");
    std::string fault_variable = util::concat("TERN_FAULT_FILE=", faults ? faults : "");
    char* environment[] = {faults ? fault_variable.data() : nullptr, nullptr};
#else
    char* environment[] = {nullptr};
#endif
    ::execve(settings_.program.c_str(), arguments, environment);
    give_up(util::concat("exec ", settings_.program));
}

}  // namespace usher
