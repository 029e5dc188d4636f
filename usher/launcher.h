// Starts mailbox processes: fork, become the user, exec.
#pragma once

#include "libipc/mailbox.h"
#include "libutil/result.h"
#include "libutil/unique_fd.h"

#include <string>
#include <sys/types.h>

namespace usher {

// Whose process it is to be.
struct Identity {
    std::string account;
    uid_t uid = 0;
    gid_t gid = 0;
    std::string home;
};

struct Launched {
    pid_t pid = 0;
    util::UniqueFd control;   // SOCK_SEQPACKET; the settings are in it already
};

// What Usher needs of it; tests have another one.
class Launcher {
public:
    virtual ~Launcher() = default;
    // Starts a mailbox for this user.  The caller reaps the process.
    virtual util::Result<Launched> launch(const Identity& identity) = 0;
};

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
    util::Result<Launched> launch(const Identity& identity) override;
    // For processes started from now on.
    void change(LaunchSettings settings) { settings_ = std::move(settings); }

private:
    ProcessLauncher(LaunchSettings settings, util::UniqueFd null)
        : settings_(std::move(settings)), null_(std::move(null))
    {
    }
    [[noreturn]] void become(const Identity& identity, int control) const;

    LaunchSettings settings_;
    util::UniqueFd null_;
};

constexpr int control_descriptor = 3;
constexpr int log_descriptor = 4;

}  // namespace usher
