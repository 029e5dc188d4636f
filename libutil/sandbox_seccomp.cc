// The system calls of a sandbox: an allow-list by libseccomp.
//
// A forbidden call raises SIGSYS; the handler logs which one and lets the signal end the process,
// so that the log says what was tried (or what a new C library needs).
#include "libutil/sandbox_seccomp.h"

#include "libutil/handle.h"
#include "libutil/log.h"
#include "libutil/sanitizer.h"
#include "libutil/text.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <span>

namespace util {

namespace {

using Filter = Handle<void, seccomp_release>;

// Memory, time, signals to oneself, and work on descriptors that are open.
constexpr const char* base_calls[] = {
    "read", "readv", "pread64", "preadv", "write", "writev", "pwrite64", "pwritev", "lseek", "close", "close_range",
    "fstat", "fcntl", "dup", "dup2", "dup3", "pipe2", "eventfd2", "memfd_create", "ftruncate", "ioctl",
    "munmap", "mremap", "madvise", "brk", "membarrier",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "tgkill", "restart_syscall",
    "exit", "exit_group", "futex", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity",
    "getrandom", "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "times",
    "alarm", "setitimer", "getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getresuid",
    "getresgid", "getrusage", "sysinfo", "uname",
    "poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait",
    "timerfd_create", "timerfd_settime", "splice", "tee", "sendfile", "copy_file_range",
    "accept4", "recvfrom", "recvmsg", "recvmmsg", "sendto", "sendmsg", "sendmmsg", "shutdown", "getsockopt",
    "setsockopt", "getsockname", "getpeername", "fstatfs", "fadvise64",
    "newfstatat",  // the C library's fstat(); Landlock does not hide what stat() tells anyway
};

// Work on names; Landlock and the modes of directories say which ones.
constexpr const char* file_calls[] = {
    "open", "openat", "stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2", "readlink",
    "readlinkat", "getdents64", "getcwd", "statfs", "flock", "fsync", "fdatasync", "sync_file_range", "fallocate",
    "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir",
    "fchmod", "fchmodat", "chmod", "fchown", "fchownat", "utimensat", "umask", "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
};

// What the C library tries and can do without: it hears that it may not.
constexpr const char* refused_calls[] = {
    "open", "openat", "stat", "lstat", "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat",
    "statfs", "getcwd", "connect", "kill",
};

constexpr const char* process_calls[] = {
    "fork", "vfork", "wait4", "waitid", "kill", "pidfd_open", "pidfd_send_signal",
};

// To become another program; the last ones: what that does when it starts.
constexpr const char* program_calls[] = {
    "execve", "setpgid", "setsid", "getpgrp", "chdir", "fchdir", "getdents64", "umask", "setrlimit", "getrlimit",
    "prctl", "arch_prctl", "set_tid_address", "readlink", "readlinkat",
};

constexpr const char* credential_calls[] = {
    "setuid", "setgid", "setresuid", "setresgid", "setgroups", "getgroups", "chown", "lchown",
};

// A process in a namespace of its own would have all capabilities there.
constexpr scmp_datum_t new_namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                        CLONE_NEWPID | CLONE_NEWNET;

Result<void> allow(Filter& filter, const char* name, std::span<const scmp_arg_cmp> conditions = {})
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return {};  // a call that this libseccomp does not know
    int code = seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, number, static_cast<unsigned>(conditions.size()), conditions.data());
    if (code < 0 && code != -EEXIST)
        return system_error(concat("seccomp rule for ", name), -code);
    return {};
}

Result<void> allow_all(Filter& filter, std::span<const char* const> names)
{
    for (const char* name : names)
        TRY(allow(filter, name));
    return {};
}

// Calls whose arguments matter.
Result<void> allow_limited(Filter& filter, const SeccompChoice& choice)
{
    // Memory that is written never runs.
    const scmp_arg_cmp not_executable[] = {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)};
    TRY(allow(filter, "mmap", not_executable));
    TRY(allow(filter, "mprotect", not_executable));
    // One's own limits may be read, not changed.
    const scmp_arg_cmp read_limits[] = {SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0)};
    TRY(allow(filter, "prlimit64", read_limits));
    // Names of threads; glibc names memory areas.
    const scmp_arg_cmp set_name[] = {SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME)};
    TRY(allow(filter, "prctl", set_name));
    const scmp_arg_cmp unix_only[] = {SCMP_A0(SCMP_CMP_EQ, AF_UNIX)};
    TRY(allow(filter, "socketpair", unix_only));
    if (choice.connect) {
        TRY(allow(filter, "socket", unix_only));
        TRY(allow(filter, "connect"));
    }
    if (choice.network) {
        for (int family : {AF_INET, AF_INET6, AF_NETLINK}) {
            const scmp_arg_cmp of_family[] = {SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(family))};
            TRY(allow(filter, "socket", of_family));
        }
        TRY(allow(filter, "bind"));
    }
    if (choice.processes) {
        const scmp_arg_cmp same_namespaces[] = {SCMP_A0(SCMP_CMP_MASKED_EQ, new_namespaces, 0)};
        TRY(allow(filter, "clone", same_namespaces));
    }
    if (choice.threads && !choice.processes) {
        const scmp_arg_cmp threads_only[] = {SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM)};
        TRY(allow(filter, "clone", threads_only));
    }
    return {};
}

// Answers EPERM (or ENOSYS) instead of the end of the process.
Result<void> refuse(Filter& filter, const char* name, unsigned code, const scmp_arg_cmp* condition = nullptr)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return {};
    int result = seccomp_rule_add_array(filter.get(), SCMP_ACT_ERRNO(code), number, condition ? 1 : 0, condition);
    if (result < 0)
        return system_error(concat("seccomp rule for ", name), -result);
    return {};
}

Result<void> fill(Filter& filter, const SeccompChoice& choice)
{
    TRY(allow_all(filter, base_calls));
    TRY(allow_limited(filter, choice));
    if (choice.files)
        TRY(allow_all(filter, file_calls));
    if (choice.processes)
        TRY(allow_all(filter, process_calls));
    if (choice.programs)
        TRY(allow_all(filter, program_calls));
    if (choice.credentials)
        TRY(allow_all(filter, credential_calls));
    for (const std::string& name : choice.more)
        TRY(allow(filter, name.c_str()));
    // glibc falls back to clone, whose flags a filter can see.
    TRY(refuse(filter, "clone3", ENOSYS));
    for (const char* name : refused_calls) {
        std::string_view call(name);
        bool named = std::ranges::find(choice.more, name) != choice.more.end();
        bool allowed = named || (call == "connect" ? choice.connect : call == "kill" ? choice.processes : choice.files);
        if (!allowed)
            TRY(refuse(filter, name, EPERM));
    }
    // A socket of another family is refused as the kernel does when a family is not compiled in.
    if (!choice.connect)
        return refuse(filter, "socket", EAFNOSUPPORT);
    if (!choice.network) {
        const scmp_arg_cmp other = SCMP_A0(SCMP_CMP_NE, AF_UNIX);
        return refuse(filter, "socket", EAFNOSUPPORT, &other);
    }
    return {};
}

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
    if (sanitizer::on || ::prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
        return false;
    Filter filter(seccomp_init(SCMP_ACT_TRAP));
    if (!filter)
        return temporary("no memory for a seccomp filter");
    seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a binary tree, not a list
    TRY(fill(filter, choice));
    struct sigaction action {};
    action.sa_sigaction = forbidden_call;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    if (::sigaction(SIGSYS, &action, nullptr) < 0)
        return system_error("sigaction", errno);
    if (int code = seccomp_load(filter.get()); code < 0)
        return system_error("seccomp_load", -code);
    return true;
}

}  // namespace util
