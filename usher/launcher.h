// Starts mailbox processes: fork, become the user, exec.
//
// When many are started at once, those that may share their layout of memory with others are forked by a fork
// server (libipc/fork_server.h): to begin a program anew takes several times as much, most of it in the C library,
// which asks the processor what it is, and on a virtual machine each such question is a way out of it and back.
#pragma once

#include "libipc/connection.h"
#include "libipc/mailbox.h"
#include "libutil/result.h"
#include "libutil/unique_fd.h"

#include <deque>
#include <optional>
#include <set>
#include <string>
#include <sys/types.h>

namespace usher {

// Whose process it is to be.
struct Identity {
    std::string account;
    uid_t uid = 0;
    gid_t gid = 0;
    std::string home;
    std::vector<std::string> groups = {};   // in access control lists
    bool disabled = false;    // may not log in

    // Who a process is; in which groups, and whether disabled, may change meanwhile.
    bool operator==(const Identity& other) const
    {
        return account == other.account && uid == other.uid && gid == other.gid && home == other.home;
    }
};

struct Launched {
    pid_t pid = 0;
    util::UniqueFd control;   // SOCK_SEQPACKET; the settings are in it already
    bool forked = false;      // by a fork server: it shares its layout with others
};

// What layout of memory a process has: its own, or perhaps one that it shares with others.
enum class Layout : std::uint8_t { Own, Any };

// What Usher needs of it; tests have another one.
class Launcher {
public:
    virtual ~Launcher() = default;
    // Starts a mailbox for this user.  The caller reaps the process, and others that it does not know.
    virtual util::Result<Launched> launch(const Identity& identity, Layout layout) = 0;
    // One of those others has ended, with this status of wait().
    virtual void exited(pid_t, int) {}
    // Nothing is started any more.
    virtual void stop() {}
};

// So many starts within this time, and the next is a fork server's work.
constexpr std::size_t burst_starts = 8;
constexpr util::Duration burst_time{1'000'000};

class Burst {
public:
    // Another start: is it one too many within the time?
    bool starts(util::Instant now);

private:
    std::deque<util::Instant> starts_;   // the last ones
};

// "ended by signal 11", "exited with status 1".
std::string describe_exit(int wait_status);

// So many processes share a layout at most.
constexpr std::uint32_t forks_of_a_server = 50;
// A server without work ends after this.
constexpr util::Duration fork_server_idle_time{5'000'000};
// usher stands still while a server forks, so long at most; after a failure it is done without servers for a while.
constexpr util::Duration fork_server_patience{1'000'000};
constexpr util::Duration fork_server_rest{60'000'000};

struct LaunchSettings {
    std::string program;               // path of mailbox(8)
    std::string mail_store_directory;
    ipc::MailboxSettings mailbox;      // but for account and directory
    std::uint64_t data_limit = 0;      // bytes, RLIMIT_DATA; 0 = none
    std::uint32_t open_files = 256;    // RLIMIT_NOFILE
    int log_socket = -1;               // of the log daemon, inherited by the child
    bool own_uid = false;              // without privileges: all is done under usher's uid
};

// In the child the descriptors are 0 to 2 /dev/null, 3 the control socket, 4 the log socket, and
// nothing else; the environment is empty; supplementary groups are none; the user cannot get back.
class ProcessLauncher : public Launcher {
public:
    // Opens /dev/null, which a jail may hide later.
    static util::Result<ProcessLauncher> create(LaunchSettings settings);
    util::Result<Launched> launch(const Identity& identity, Layout layout) override;
    void stop() override { server_.reset(); }
    void exited(pid_t pid, int wait_status) override;
    // For processes started from now on.
    void change(LaunchSettings settings);

private:
    struct Server {
        ipc::Connection connection;
        pid_t pid = 0;
        std::uint32_t forked = 0;
    };

    ProcessLauncher(LaunchSettings settings, util::UniqueFd null)
        : settings_(std::move(settings)), null_(std::move(null))
    {
    }
    util::Result<util::sys::SocketPair> control_of(const Identity& identity) const;
    util::Result<pid_t> start(const Identity* identity, int control) const;
    util::Result<void> start_server();
    util::Result<pid_t> fork_by_server(const Identity& identity, int control);
    // As this user; as what usher is, for a fork server.
    [[noreturn]] void become(const Identity* identity, int control) const;

    LaunchSettings settings_;
    util::UniqueFd null_;
    Burst burst_;
    std::optional<Server> server_;
    std::set<pid_t> servers_;   // that one, and those that are to end
    util::Instant no_server_until_ = util::Instant::min();
};

constexpr int control_descriptor = 3;
constexpr int log_descriptor = 4;

}  // namespace usher
