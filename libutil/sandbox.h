// The sandbox of a program, declared in its main() in a few readable lines:
//
//   TRY(process.drop_privileges(util::Sandbox()
//       .read("/etc/tern").write(queue + "/incoming")
//       .connect()));
//
// Four fences stand one behind the other: the uid (of root, few capabilities), Landlock on directories,
// seccomp by allow-list, resource limits.  All are for good: nothing that runs later in the process can widen them.
// A path that does not exist is passed over (with a line in the log at level verbose).
#pragma once

#include "libutil/result.h"
#include "libutil/unique_fd.h"

#include <cstdint>
#include <string>
#include <vector>

namespace util {

class Sandbox {
public:
    Sandbox() = default;
    // A copy has the declaration, not what prepare() opened.
    Sandbox(const Sandbox& other) : declared_(other.declared_) {}
    Sandbox(Sandbox&&) = default;
    Sandbox& operator=(const Sandbox&) = delete;
    Sandbox& operator=(Sandbox&&) = default;

    // What is not declared here is left: work on open descriptors, memory, time, random numbers,
    // signals to oneself.  Nobody may ptrace, mount, load code or make memory executable.

    // Files and directories below are readable.
    Sandbox& read(std::string path);
    // The same, and files there may be executed: for programs that start others.
    Sandbox& execute(std::string path);
    // Everything below may be read, written, made, renamed and removed.
    Sandbox& write(std::string path);
    // Files may be made, named and removed, nothing can be listed: a letter box.  Whose files these
    // are is decided by the directory's mode (sticky) and theirs.
    Sandbox& add(std::string path);
    // Files that exist may be written and read; none made or removed.
    Sandbox& modify(std::string path);
    // Connections to other programs' Unix sockets (who may connect is the listener's question:
    // Landlock does not know sockets on disk).
    Sandbox& connect();
    // Sockets of the Internet families, and connections out.
    Sandbox& network();
    // The same, from an address or a port that the program chooses.
    Sandbox& network_from();
    // Child processes: fork, wait, kill.  With execute() they may become other programs.
    Sandbox& processes();
    // Copies of the process, which stay what they are and are ended by it, and may close fences of their own
    // within this one: those that another Sandbox was prepared for before this one was entered.
    Sandbox& forks();
    Sandbox& threads();
    // setuid and its kin: usher only.
    Sandbox& credentials();
    // One of root's capabilities (CAP_...), for a process that stays root: it gives up all others, and no
    // program that it starts gets them back.
    Sandbox& capability(int number);
    // New programs may have more privileges (set-gid sendmail run for a user): no no_new_privs, no
    // Landlock, no seccomp, since all three need or imply it.
    Sandbox& allow_new_privileges();
    // No SO_LINGER: who has one of its connections, too, shall not have to wait in close() for it.
    Sandbox& never_lingers();
    // Single system calls by number (SYS_...), for what is rare.
    Sandbox& allow(int system_call);

    // Limits: bytes of data, open files.  0 leaves a limit alone.
    Sandbox& limit_memory(std::uint64_t bytes);
    Sandbox& limit_files(std::uint64_t count);

    // How strictly it is meant.
    enum class Mode {
        No,       // rlimits only
        Yes,      // what this kernel has; what it lacks is named in Outcome
        Require,  // fails where this kernel lacks something
    };
    struct Outcome {
        int landlock_abi = 0;         // 0: not in force
        bool seccomp = false;
        bool no_new_privileges = false;
        std::vector<std::string> missing;  // protections that this kernel or build does not give
    };

    // Opens the directories and builds the filters, while the process may still see everything.
    // Landlock rights newer than `landlock_abi_limit` are not used (tests look back to ABI 2).
    Result<void> prepare(Mode mode, int landlock_abi_limit = 1000);
    // Closes the fences, in the thread that calls: before any other thread starts.
    Result<Outcome> enter();

    // The Landlock ABI of this kernel; 0: none.
    static int kernel_landlock_abi();

    bool limits_memory() const { return declared_.memory > 0; }
    bool wants_new_privileges() const { return declared_.new_privileges; }

private:
    struct Rule {
        std::string path;
        std::uint64_t rights = 0;
    };
    Sandbox& rule(std::string path, std::uint64_t rights);
    Result<void> prepare_landlock(int abi);
    Result<void> limit_resources() const;
    Result<void> drop_capabilities() const;
    Result<bool> load_seccomp() const;

    struct Declared {
        std::vector<Rule> rules;
        std::vector<int> allowed;
        std::uint64_t capabilities = 0;  // bits
        bool connect = false;
        bool network = false;
        bool network_from = false;
        bool processes = false;
        bool forks = false;
        bool programs = false;
        bool threads = false;
        bool credentials = false;
        bool new_privileges = false;
        bool never_lingers = false;
        std::uint64_t memory = 0;
        std::uint64_t files = 0;
    };

    Declared declared_;
    Mode mode_ = Mode::Yes;
    UniqueFd ruleset_;
    int landlock_abi_ = 0;
};

}  // namespace util
