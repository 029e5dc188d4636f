// The system calls of a sandbox: an allow-list.
//
// A forbidden call raises SIGSYS; the handler logs which one and lets the signal end the process,
// so that the log says what was tried (or what a new C library needs).
//
// Numbers come from the headers of the kernel, for architectures whose numbers and arguments are known to fit what
// follows; elsewhere there is no filter, which enter() tells.
#include "libutil/sandbox_seccomp.h"

#include "libutil/log.h"
#include "libutil/sandbox_filter.h"
#include "libutil/sanitizer.h"
#include "libutil/text.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <span>

namespace util {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_AARCH64;
#elif defined(__riscv) && __riscv_xlen == 64
constexpr std::uint32_t architecture = AUDIT_ARCH_RISCV64;
#else
constexpr std::uint32_t architecture = 0;
#endif

// Memory, time, signals to oneself, and work on descriptors that are open.
constexpr int base_calls[] = {
    SYS_read, SYS_readv, SYS_pread64, SYS_preadv, SYS_write, SYS_writev, SYS_pwrite64, SYS_pwritev, SYS_lseek,
    SYS_close, SYS_close_range, SYS_fstat, SYS_fcntl, SYS_dup, SYS_dup3, SYS_pipe2, SYS_eventfd2,
    SYS_memfd_create, SYS_ftruncate, SYS_ioctl, SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk, SYS_membarrier,
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_tgkill, SYS_restart_syscall,
    SYS_exit, SYS_exit_group, SYS_futex, SYS_set_robust_list, SYS_rseq, SYS_sched_yield,
    SYS_sched_getaffinity, SYS_getrandom, SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep,
    SYS_nanosleep, SYS_gettimeofday, SYS_times, SYS_setitimer, SYS_getpid, SYS_gettid, SYS_getppid,
    SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getresuid, SYS_getresgid, SYS_getrusage,
    SYS_sysinfo, SYS_uname, SYS_ppoll, SYS_pselect6, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait,
    SYS_timerfd_create, SYS_timerfd_settime, SYS_splice, SYS_tee, SYS_sendfile, SYS_copy_file_range,
    SYS_accept4, SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg, SYS_sendto, SYS_sendmsg, SYS_sendmmsg, SYS_shutdown,
    SYS_getsockopt, SYS_setsockopt, SYS_getsockname, SYS_getpeername, SYS_fstatfs, SYS_fadvise64,
    SYS_newfstatat,  // the C library's fstat(); Landlock does not hide what stat() tells anyway
#ifdef __x86_64__
    SYS_dup2, SYS_time, SYS_alarm, SYS_poll, SYS_select, SYS_epoll_wait,
#endif
};

// Work on names; Landlock and the modes of directories say which ones.
constexpr int file_calls[] = {
    SYS_openat,
    SYS_newfstatat,
    SYS_statx,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_readlinkat,
    SYS_getdents64,
    SYS_getcwd,
    SYS_statfs,
    SYS_flock,
    SYS_fsync,
    SYS_fdatasync,
    SYS_sync_file_range,
    SYS_fallocate,
    SYS_renameat2,
    SYS_linkat,
    SYS_unlinkat,
    SYS_mkdirat,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_fchown,
    SYS_fchownat,
    SYS_utimensat,
    SYS_umask,
    SYS_inotify_init1,
    SYS_inotify_add_watch,
    SYS_inotify_rm_watch,
#ifdef __x86_64__
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_readlink,
    SYS_rename,
    SYS_link,
    SYS_unlink,
    SYS_mkdir,
    SYS_rmdir,
    SYS_chmod,
#endif
#ifdef SYS_renameat
    SYS_renameat,
#endif
};

// What the C library tries and can do without: it hears that it may not.
constexpr int refused_calls[] = {
    SYS_openat, SYS_statx, SYS_faccessat, SYS_faccessat2, SYS_readlinkat, SYS_statfs, SYS_getcwd, SYS_connect,
    SYS_kill,
#ifdef __x86_64__
    SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink,
#endif
};

constexpr int process_calls[] = {
    SYS_wait4, SYS_waitid, SYS_kill, SYS_pidfd_open, SYS_pidfd_send_signal,
#ifdef __x86_64__
    SYS_fork, SYS_vfork,
#endif
};

// The last ones: to narrow one's own fences, which is all that they can do.
constexpr int fork_calls[] = {
    SYS_wait4, SYS_waitid, SYS_kill, SYS_landlock_restrict_self, SYS_seccomp, SYS_setpriority,
#ifdef __x86_64__
    SYS_fork,
#endif
};

// To become another program; the last ones: what that does when it starts.
constexpr int program_calls[] = {
    SYS_execve, SYS_setpgid, SYS_setsid, SYS_chdir, SYS_fchdir, SYS_getdents64, SYS_umask, SYS_prctl,
    SYS_set_tid_address, SYS_readlinkat,
#ifdef __x86_64__
    SYS_getpgrp, SYS_arch_prctl, SYS_readlink,
#endif
#ifdef SYS_getrlimit
    SYS_getrlimit, SYS_setrlimit,
#endif
};

constexpr int credential_calls[] = {
    SYS_setuid, SYS_setgid, SYS_setresuid, SYS_setresgid, SYS_setgroups, SYS_getgroups,
#ifdef __x86_64__
    SYS_chown, SYS_lchown,
#endif
};

// A process in a namespace of its own would have all capabilities there.
constexpr std::uint64_t new_namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                         CLONE_NEWPID | CLONE_NEWNET;

using Rules = std::vector<CallRule>;

void allow(Rules& rules, int number, std::vector<ArgumentTest> tests = {})
{
    rules.push_back({.number = number, .verdict = SECCOMP_RET_ALLOW, .tests = std::move(tests)});
}

void allow_all(Rules& rules, std::span<const int> numbers)
{
    for (int number : numbers)
        allow(rules, number);
}

// Answers with an error instead of the end of the process.
void refuse(Rules& rules, int number, unsigned code, std::vector<ArgumentTest> tests = {})
{
    rules.push_back({.number = number, .verdict = SECCOMP_RET_ERRNO | (code & SECCOMP_RET_DATA), .tests = std::move(tests)});
}

// Calls whose arguments matter.
void allow_limited(Rules& rules, const SeccompChoice& choice)
{
    // Memory that is written never runs.
    const ArgumentTest not_executable{.argument = 2, .mask = PROT_EXEC, .value = 0};
    allow(rules, SYS_mmap, {not_executable});
    allow(rules, SYS_mprotect, {not_executable});
    // One's own limits may be read, not changed.
    allow(rules, SYS_prlimit64, {{.argument = 0, .value = 0}, {.argument = 2, .value = 0}});
    // Names of threads; glibc names memory areas.
    allow(rules, SYS_prctl, {{.argument = 0, .value = PR_SET_NAME}});
    allow(rules, SYS_socketpair, {{.argument = 0, .value = AF_UNIX}});
    if (choice.connect) {
        allow(rules, SYS_socket, {{.argument = 0, .value = AF_UNIX}});
        allow(rules, SYS_connect);
    }
    if (choice.network) {
        for (std::uint64_t family : {AF_INET, AF_INET6})
            allow(rules, SYS_socket, {{.argument = 0, .value = family}});
    }
    if (choice.network_from)
        allow(rules, SYS_bind);
    if (choice.processes)
        allow(rules, SYS_clone, {{.argument = 0, .mask = new_namespaces, .value = 0}});
    if (choice.forks) {
        allow(rules, SYS_clone, {{.argument = 0, .mask = new_namespaces | CLONE_VM, .value = 0}});
        allow(rules, SYS_prlimit64, {{.argument = 0, .value = 0}});
        for (std::uint64_t option : {PR_SET_NO_NEW_PRIVS, PR_GET_SECCOMP, PR_SET_SECCOMP, PR_SET_PDEATHSIG})
            allow(rules, SYS_prctl, {{.argument = 0, .value = option}});
    }
    constexpr std::uint64_t thread = CLONE_THREAD | CLONE_VM;
    if (choice.threads)
        allow(rules, SYS_clone, {{.argument = 0, .mask = thread | new_namespaces, .value = thread}});
}

bool names(const SeccompChoice& choice, int number) { return std::ranges::find(choice.more, number) != choice.more.end(); }

void refuse_the_rest(Rules& rules, const SeccompChoice& choice)
{
    // glibc falls back to clone, whose flags a filter can see.
    refuse(rules, SYS_clone3, ENOSYS);
    for (int number : refused_calls) {
        bool allowed = number == SYS_connect ? choice.connect
                       : number == SYS_kill  ? choice.processes || choice.forks
                                             : choice.files;
        if (!allowed && !names(choice, number))
            refuse(rules, number, EPERM);
    }
    // A socket of another family is refused as the kernel does when a family is not compiled in.  The C library
    // asks by netlink which families have addresses, and does without an answer.
    if (choice.network)
        refuse(rules, SYS_socket, EAFNOSUPPORT, {{.argument = 0, .value = AF_NETLINK}});
    else
        refuse(rules, SYS_socket, EAFNOSUPPORT);
}

}  // namespace

std::vector<CallRule> call_rules(const SeccompChoice& choice)
{
    Rules rules;
    if (choice.never_lingers) {
        constexpr std::uint64_t as_int = UINT32_MAX;   // the kernel looks at no more
        refuse(rules, SYS_setsockopt, EPERM, {{.argument = 1, .mask = as_int, .value = SOL_SOCKET},
                                              {.argument = 2, .mask = as_int, .value = SO_LINGER}});
    }
    allow_all(rules, base_calls);
    allow_limited(rules, choice);
    if (choice.files)
        allow_all(rules, file_calls);
    if (choice.processes)
        allow_all(rules, process_calls);
    if (choice.forks)
        allow_all(rules, fork_calls);
    if (choice.programs)
        allow_all(rules, program_calls);
    if (choice.credentials)
        allow_all(rules, credential_calls);
    allow_all(rules, choice.more);
    refuse_the_rest(rules, choice);
    return rules;
}

namespace {

void forbidden_call(int, siginfo_t* what, void*)
{
    // The log's write is what a handler may do here: the signal is synchronous, and send() is all it
    // needs beyond memory.
    log::write(log::Level::Panic, concat("system call ", what->si_syscall, " is outside the sandbox"));
    ::signal(SIGSYS, SIG_DFL);
    ::raise(SIGSYS);
}

}  // namespace

Result<bool> enter_seccomp(const SeccompChoice& choice)
{
    if (sanitizer::on || architecture == 0 || ::prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
        return false;
    std::vector<sock_filter> program =
        filter_program(call_rules(choice), architecture, SECCOMP_RET_TRAP, SECCOMP_RET_KILL_PROCESS);
    struct sigaction action {};
    action.sa_sigaction = forbidden_call;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    if (::sigaction(SIGSYS, &action, nullptr) < 0)
        return system_error("sigaction", errno);
    sock_fprog given{.len = static_cast<unsigned short>(program.size()), .filter = program.data()};
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &given) < 0)
        return system_error("seccomp", errno);
    return true;
}

}  // namespace util
