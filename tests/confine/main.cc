// test-confine PID: makes system calls in the name of another process, and says what became of them.
//
// For tests of what a daemon that somebody broke into could do: the calls are the daemon's own, under
// its uid, its Landlock domain and its seccomp filter.  A line on standard input is one call:
//
//   NUMBER ARGUMENT...       an argument is a number (0x.. too), or '=' and a text, or '#' and bytes in hex,
//                            of which the call gets the address
//
// and one line answers: the value (negative: an errno), "trap" when seccomp forbids it, or "exec" when the
// process has become another program, which ends the test.  The daemon is stopped meanwhile and goes on
// afterwards as if nothing had been.  Not for calls that block, fork or end.  Only for x86-64:
// elsewhere it ends with status 77.
#include "libutil/text.h"

#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#if defined(__x86_64__)

namespace {

constexpr std::size_t scratch_size = 2048;
constexpr std::size_t red_zone = 128;  // below the stack pointer, and still the function's

[[noreturn]] void fail(const char* what)
{
    std::fprintf(stderr, "test-confine: %s: %s\n", what, std::strerror(errno));
    std::exit(1);
}

class Traced {
public:
    explicit Traced(pid_t pid) : pid_(pid), memory_(::open(util::concat("/proc/", pid, "/mem").c_str(), O_RDWR | O_CLOEXEC))
    {
        if (memory_ < 0)
            fail("open memory");
        if (::ptrace(PTRACE_SEIZE, pid, nullptr, PTRACE_O_TRACEEXEC) < 0)
            fail("PTRACE_SEIZE");
        if (::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) < 0)
            fail("PTRACE_INTERRUPT");
        wait();
        if (::ptrace(PTRACE_GETREGS, pid, nullptr, &saved_) < 0)
            fail("PTRACE_GETREGS");
        scratch_ = (saved_.rsp - red_zone - scratch_size) & ~15ull;
        if (::pread(memory_, kept_.data(), kept_.size(), static_cast<off_t>(scratch_)) != ssize_t(kept_.size()))
            fail("read the stack");
        find_instruction();
    }

    // Restores what was; the call that was interrupted begins anew.
    void leave()
    {
        write(kept_.data(), kept_.size(), 0);
        if (::ptrace(PTRACE_SETREGS, pid_, nullptr, &saved_) < 0 || ::ptrace(PTRACE_DETACH, pid_, nullptr, nullptr) < 0)
            fail("PTRACE_DETACH");
    }

    std::string call(std::uint64_t number, std::vector<std::string> words)
    {
        std::array<std::uint64_t, 6> arguments{};
        std::size_t used = 0;
        for (std::size_t i = 0; i < words.size() && i < arguments.size(); ++i)
            arguments[i] = argument(words[i], used);
        user_regs_struct regs = saved_;
        regs.rip = instruction_;
        regs.rax = number;
        regs.orig_rax = ~0ull;  // no call that the kernel would begin anew
        regs.rdi = arguments[0];
        regs.rsi = arguments[1];
        regs.rdx = arguments[2];
        regs.r10 = arguments[3];
        regs.r8 = arguments[4];
        regs.r9 = arguments[5];
        if (::ptrace(PTRACE_SETREGS, pid_, nullptr, &regs) < 0 || ::ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr) < 0)
            fail("PTRACE_SINGLESTEP");
        int status = wait();
        if (status >> 8 == (SIGTRAP | (PTRACE_EVENT_EXEC << 8)))
            return "exec";
        // seccomp's signal is seen here and never reaches the process.
        if (WSTOPSIG(status) == SIGSYS)
            return "trap";
        if (WSTOPSIG(status) != SIGTRAP || status >> 16) {
            std::fprintf(stderr, "test-confine: stopped by signal %d\n", WSTOPSIG(status));
            std::exit(1);
        }
        if (::ptrace(PTRACE_GETREGS, pid_, nullptr, &regs) < 0)
            fail("PTRACE_GETREGS");
        return std::to_string(static_cast<long long>(regs.rax));
    }

private:
    int wait()
    {
        int status = 0;
        if (::waitpid(pid_, &status, __WALL) != pid_)
            fail("waitpid");
        if (!WIFSTOPPED(status)) {
            std::printf("gone\n");
            std::exit(1);
        }
        return status;
    }

    void write(const void* bytes, std::size_t size, std::size_t offset)
    {
        if (::pwrite(memory_, bytes, size, static_cast<off_t>(scratch_ + offset)) != ssize_t(size))
            fail("write to the stack");
    }

    std::uint64_t argument(const std::string& word, std::size_t& used)
    {
        if (word[0] != '=' && word[0] != '#')
            return static_cast<std::uint64_t>(std::strtoll(word.c_str(), nullptr, 0));
        std::string bytes = word.substr(1);
        if (word[0] == '#') {
            std::string decoded;
            for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
                decoded += static_cast<char>(std::strtol(bytes.substr(i, 2).c_str(), nullptr, 16));
            bytes = decoded;
        }
        bytes += '\0';
        if (used + bytes.size() > scratch_size)
            fail("arguments too long");
        write(bytes.data(), bytes.size(), used);
        std::uint64_t address = scratch_ + used;
        used += (bytes.size() + 15) & ~std::size_t(15);
        return address;
    }

    // A "syscall" in memory that may run: the vdso has one, and is everywhere.
    void find_instruction()
    {
        std::ifstream maps(util::concat("/proc/", pid_, "/maps"));
        for (std::string line; std::getline(maps, line);) {
            if (line.find("[vdso]") == std::string::npos)
                continue;
            char* after = nullptr;
            std::uint64_t begin = std::strtoull(line.c_str(), &after, 16);
            std::uint64_t end = std::strtoull(after + 1, nullptr, 16);
            std::string text(end - begin, '\0');
            if (::pread(memory_, text.data(), text.size(), static_cast<off_t>(begin)) < 0)
                fail("read the vdso");
            std::size_t at = text.find("\x0f\x05");
            if (at != std::string::npos)
                instruction_ = begin + at;
        }
        if (!instruction_) {
            errno = ENOENT;
            fail("a syscall instruction");
        }
    }

    pid_t pid_;
    int memory_;
    user_regs_struct saved_{};
    std::array<char, scratch_size> kept_{};
    std::uint64_t scratch_ = 0;
    std::uint64_t instruction_ = 0;
};

}  // namespace

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: test-confine PID < calls\n");
        return 64;
    }
    Traced traced(static_cast<pid_t>(std::atoi(argv[1])));
    for (std::string line; std::getline(std::cin, line);) {
        std::vector<std::string> words;
        for (std::string_view word : util::split_words(line, " "))
            words.emplace_back(word);
        std::uint64_t number = std::strtoull(words.front().c_str(), nullptr, 0);
        words.erase(words.begin());
        std::string result = traced.call(number, std::move(words));
        std::printf("%s\n", result.c_str());
        std::fflush(stdout);
        if (result == "exec")
            return 1;
    }
    traced.leave();
    return 0;
}

#else

int main() { return 77; }

#endif
