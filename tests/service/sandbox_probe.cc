// The sandbox's self-test.
#include "tests/service/sandbox_probe.h"

#include "libutil/sandbox.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <functional>

namespace {

bool all_good = true;

void report(bool good, const std::string& text)
{
    std::string line = util::concat(good ? "ok " : "not ok ", text, "\n");
    (void)!::write(STDOUT_FILENO, line.data(), line.size());
    all_good &= good;
}

void allowed(const std::string& text, const util::Result<void>& result)
{
    report(result.ok(), util::concat("may ", text, result ? "" : ": " + result.error().text));
}

void refused(const std::string& text, const util::Result<void>& result)
{
    report(!result.ok(), util::concat("may not ", text, result ? "" : ": " + result.error().text));
}

util::Result<void> drop(util::Result<util::UniqueFd> result)
{
    if (!result)
        return result.take_error();
    return {};
}

util::Result<void> call(long result, std::string_view what)
{
    if (result >= 0)
        return {};
    return util::system_error(what, errno);
}

void try_files(const std::string& root)
{
    allowed("read below readable/", drop(util::sys::open(root + "/readable/file", O_RDONLY)));
    refused("write below readable/", drop(util::sys::open(root + "/readable/file", O_WRONLY)));
    refused("make files below readable/", drop(util::sys::open(root + "/readable/new", O_WRONLY | O_CREAT)));
    refused("remove below readable/", util::sys::unlink(root + "/readable/file"));
    allowed("make files below writable/", drop(util::sys::open(root + "/writable/new", O_RDWR | O_CREAT)));
    allowed("rename below writable/", util::sys::rename(root + "/writable/new", root + "/writable/newer"));
    allowed("remove below writable/", util::sys::unlink(root + "/writable/newer"));
    allowed("make directories below writable/", util::sys::mkdir(root + "/writable/directory", 0700));
    refused("read below hidden/", drop(util::sys::open(root + "/hidden/file", O_RDONLY)));
    refused("list hidden/", drop(util::sys::open(root + "/hidden", O_RDONLY | O_DIRECTORY)));
    refused("move from writable/ to hidden/", util::sys::rename(root + "/writable/file", root + "/hidden/moved"));
    refused("read /etc/passwd", drop(util::sys::open("/etc/passwd", O_RDONLY)));
    refused("list the letter box", drop(util::sys::open(root + "/letterbox", O_RDONLY | O_DIRECTORY)));
    refused("make directories in the letter box", util::sys::mkdir(root + "/letterbox/directory", 0700));
    auto nameless = util::sys::open_nameless(root + "/letterbox", O_RDWR);
    allowed("put nameless files into the letter box", nameless ? util::Result<void>() : nameless.error());
    if (nameless) {
        auto directory = util::sys::open(root + "/letterbox", O_PATH);
        allowed("name them", directory ? util::sys::link_fd(nameless->get(), directory->get(), "named") : directory.error());
    }
    allowed("write below modifiable/", drop(util::sys::open(root + "/modifiable/file", O_RDWR)));
    refused("make files below modifiable/", drop(util::sys::open(root + "/modifiable/new", O_RDWR | O_CREAT)));
    refused("remove below modifiable/", util::sys::unlink(root + "/modifiable/file"));
}

void try_calls(bool with_seccomp)
{
    refused("open Internet sockets",
            drop(util::UniqueFd(::socket(AF_INET, SOCK_STREAM, 0)).valid() ? util::Result<util::UniqueFd>(util::UniqueFd())
                                                                           : util::system_error("socket", errno)));
    refused("open packet sockets",
            drop(util::UniqueFd(::socket(AF_PACKET, SOCK_RAW, 0)).valid() ? util::Result<util::UniqueFd>(util::UniqueFd())
                                                                          : util::system_error("socket", errno)));
    util::UniqueFd local(::socket(AF_UNIX, SOCK_STREAM, 0));
    report(local.valid(), "may open Unix sockets");
    refused("signal others", call(::kill(::getppid(), 0), "kill"));
    if (!with_seccomp)
        return;
    void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    report(memory != MAP_FAILED, "may have memory");
}

// What ends the process: each in a child of its own, forked before the sandbox closed.
struct Deadly {
    const char* text;
    std::function<void()> attempt;
};

// Sanitizer builds have no seccomp, so nothing is deadly there.
[[maybe_unused]] void try_deadly(int abi, const std::vector<Deadly>& attempts,
                                 const std::function<util::Sandbox()>& make)
{
    for (const Deadly& deadly : attempts) {
        pid_t pid = ::fork();
        if (pid == 0) {
            util::Sandbox sandbox = make();
            if (!sandbox.prepare(util::Sandbox::Mode::Require, abi) || !sandbox.enter())
                ::_exit(2);
            deadly.attempt();
            ::_exit(0);
        }
        int status = 0;
        ::waitpid(pid, &status, 0);
        bool ended = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
        report(ended, util::concat("ends at ", deadly.text, ended ? "" : util::concat(" (wait status ", status, ")")));
    }
}

util::Sandbox declare(const std::string& root)
{
    return util::Sandbox()
        .read(root + "/readable")
        .write(root + "/writable")
        .add(root + "/letterbox")
        .modify(root + "/modifiable")
        .connect();
}

}  // namespace

int sandbox_probe(int argc, char** argv)
{
    if (argc != 4)
        return 64;
    int abi = static_cast<int>(util::parse_unsigned(argv[2], 1000).value_or(0));
    std::string root = argv[3];
#if defined(__SANITIZE_ADDRESS__)
    auto mode = util::Sandbox::Mode::Yes;  // no seccomp there
#else
    auto mode = util::Sandbox::Mode::Require;
    std::vector<Deadly> attempts{
        {"exec", [] { ::execl("/bin/true", "true", nullptr); }},
        {"ptrace", [] { ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }},
        {"fork", [] { ::syscall(SYS_fork); }},
        {"making memory executable", [] { ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }},
        {"setuid", [] { (void)!::setuid(0); }},
        {"mount", [] { ::syscall(SYS_mount, "none", "/", "tmpfs", 0, nullptr); }},
        {"making symbolic links", [] { (void)!::symlink("x", "/tmp/x"); }},
        {"listening", [] { ::listen(0, 1); }},
        {"bpf", [] { ::syscall(SYS_bpf, 0, nullptr, 0); }},
    };
    try_deadly(abi, attempts, [&] { return declare(root); });
#endif
    util::Sandbox sandbox = declare(root);
    if (auto prepared = sandbox.prepare(mode, abi); !prepared) {
        report(false, prepared.error().text);
        return 1;
    }
    auto outcome = sandbox.enter();
    report(outcome.ok() && outcome->landlock_abi == abi, "is in a sandbox");
    try_files(root);
    try_calls(mode == util::Sandbox::Mode::Require);
    return all_good ? 0 : 1;
}
