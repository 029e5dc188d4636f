// Starting a mailbox process.
#include "usher/launcher.h"

#include "libipc/fork_server.h"
#include "libutil/change_identity.h"
#include "libutil/command.h"
#include "libutil/log.h"
#include "libutil/sanitizer.h"
#include "libutil/sys.h"
#include "usher/home.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace usher {

namespace {

// How long an account's name may be that ps(1) shows of a process that was forked.
constexpr std::size_t title_room = 128;

[[noreturn]] void give_up(const util::Error& error)
{
    util::log::error("starting a mailbox: ", error.text);
    ::_exit(127);
}

[[noreturn]] void give_up(std::string_view what) { give_up(util::system_error(what, errno)); }

void set_limit(int resource, std::uint64_t value)
{
    rlimit limits{value, value};
    rlimit now{};
    if (::getrlimit(static_cast<__rlimit_resource>(resource), &now) == 0 && now.rlim_max < value)
        limits = {now.rlim_max, now.rlim_max};
    if (::setrlimit(static_cast<__rlimit_resource>(resource), &limits) < 0)
        give_up("setrlimit");
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

}  // namespace

util::Result<ProcessLauncher> ProcessLauncher::create(LaunchSettings settings)
{
    util::UniqueFd null = TRY(util::sys::open("/dev/null", O_RDWR));
    return ProcessLauncher(std::move(settings), std::move(null));
}

void ProcessLauncher::change(LaunchSettings settings)
{
    settings_ = std::move(settings);
    server_.reset();   // it has the old ones
}

util::Result<Launched> ProcessLauncher::launch(const Identity& identity, Layout layout)
{
    if (!settings_.own_uid && (identity.uid == 0 || identity.gid == 0))
        return util::permanent("a mailbox never runs as root");
    TRY(prepare_home(settings_.mail_store_directory, identity.home, identity.uid, identity.gid,
                     settings_.own_uid));
    // A sanitizer would not know of a process that it has not forked itself.
    auto now = util::now();
    if (burst_.starts(now) && layout == Layout::Any && now >= no_server_until_ && !util::sanitizer::on) {
        util::sys::SocketPair pair = TRY(control_of(identity));
        auto pid = fork_by_server(identity, pair.second.get());
        if (pid.ok())
            return Launched{.pid = *pid, .control = std::move(pair.first), .forked = true};
        // If it has forked after all, that process finds the socket closed.
        server_.reset();
        no_server_until_ = now + fork_server_rest;
        util::log::warning("a mailbox process is started without a fork server: ", pid.error().text);
    }
    util::sys::SocketPair pair = TRY(control_of(identity));
    pid_t pid = TRY(start(&identity, pair.second.get()));
    return Launched{.pid = pid, .control = std::move(pair.first)};
}

// A control socket, with the settings in it.
util::Result<util::sys::SocketPair> ProcessLauncher::control_of(const Identity& identity) const
{
    util::sys::SocketPair pair = TRY(util::sys::socket_pair(SOCK_SEQPACKET));
    ipc::MailboxSettings mailbox = settings_.mailbox;
    mailbox.account = identity.account;
    mailbox.directory = identity.home;
    std::vector<int> none;
    TRY(ipc::send_packet(pair.first.get(), ipc::encode(mailbox, none), none, MSG_DONTWAIT));
    TRY(util::sys::set_nonblocking(pair.first.get(), true));
    return pair;
}

bool Burst::starts(util::Instant now)
{
    bool burst = starts_.size() == burst_starts && now - starts_.front() < burst_time;
    starts_.push_back(now);
    if (starts_.size() > burst_starts)
        starts_.pop_front();
    return burst;
}

std::string describe_exit(int wait_status)
{
    if (WIFSIGNALED(wait_status))
        return util::concat("ended by signal ", WTERMSIG(wait_status));
    return util::concat("exited with status ", WEXITSTATUS(wait_status));
}

util::Result<pid_t> ProcessLauncher::start(const Identity* identity, int control) const
{
    pid_t pid = ::fork();
    if (pid < 0)
        return util::system_error("fork", errno);
    if (pid == 0)
        become(identity, control);
    return pid;
}

// --- the fork server --------------------------------------------------------------------------------

util::Result<void> ProcessLauncher::start_server()
{
    util::sys::SocketPair pair = TRY(util::sys::socket_pair(SOCK_SEQPACKET));
    server_.emplace(ipc::Connection(std::move(pair.first)));
    TRY(server_->connection.set_timeout(fork_server_patience));
    ipc::ForkServer order;
    order.directory = settings_.mail_store_directory;
    order.sandbox = settings_.mailbox.sandbox;
    order.sandbox_required = settings_.mailbox.sandbox_required;
    order.landlock_abi_limit = settings_.mailbox.landlock_abi_limit;
    order.own_uid = settings_.own_uid;
    order.most = forks_of_a_server;
    order.idle_time = fork_server_idle_time.count();
    order.log_name = settings_.mailbox.log_name;
    TRY(server_->connection.send(order));
    server_->pid = TRY(start(nullptr, pair.second.get()));
    servers_.insert(server_->pid);
    return {};
}

// One that is asked for nothing more, or has been idle for its time, ends with a status of 0.
void ProcessLauncher::exited(pid_t pid, int wait_status)
{
    bool is_server = servers_.erase(pid) > 0;
    bool failed = !WIFEXITED(wait_status) || WEXITSTATUS(wait_status) != 0;
    if (failed)
        util::log::warning(is_server ? "a fork server of mailboxes" : "a process that was to be a mailbox", " (pid ", pid, ") ",
                           describe_exit(wait_status));
    if (!server_ || server_->pid != pid)
        return;
    server_.reset();
    if (failed)
        no_server_until_ = util::now() + fork_server_rest;
}

// One that has been idle for its time has ended, and is not asked for the reason.
util::Result<pid_t> ProcessLauncher::fork_by_server(const Identity& identity, int control)
{
    ipc::ForkMailbox order{.uid = identity.uid, .gid = identity.gid};
    std::vector<int> descriptors{control};
    std::string bytes;
    {
        std::vector<int> numbers;
        order.control = util::UniqueFd(control);
        bytes = ipc::encode(order, numbers);
        (void)order.control.release();   // the caller's
    }
    bool sent = server_ && ipc::send_packet(server_->connection.fd(), bytes, descriptors).ok();
    if (!sent) {
        TRY(start_server());
        TRY(ipc::send_packet(server_->connection.fd(), bytes, descriptors));
    }
    auto answer = TRY(server_->connection.receive_as<ipc::MailboxForked>());
    if (answer.pid <= 0)
        return util::temporary(answer.failure);
    if (++server_->forked == forks_of_a_server)
        server_.reset();
    return answer.pid;
}

void ProcessLauncher::become(const Identity* identity, int control) const
{
    util::reset_signals();
    arrange_descriptors(null_.get(), control, settings_.log_socket);
    if (settings_.log_socket >= 0)
        util::log::to_socket("usher", log_descriptor);
    set_limit(RLIMIT_CORE, 0);
    set_limit(RLIMIT_NOFILE, settings_.open_files);
    if (settings_.data_limit && !util::sanitizer::on)
        set_limit(RLIMIT_DATA, settings_.data_limit);
    if (identity && !settings_.own_uid) {
        if (auto changed = util::change_identity(identity->uid, identity->gid); !changed.ok())
            give_up(changed.error());
    }
    ::umask(077);
    if (::chdir("/") < 0)
        give_up("chdir /");
    // The account is an argument for those who look with ps(1); mailbox takes it from its settings.  A fork server's
    // processes have it in the same place.
    std::string name = "mailbox";
    std::string account = identity ? identity->account : std::string("(forks)");
    if (!identity)
        account.resize(title_room, ' ');
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
