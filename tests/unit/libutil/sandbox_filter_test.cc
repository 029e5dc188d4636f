// The program of a filter says what its rules say: each is run here as the kernel runs it.
#include "libutil/sandbox_filter.h"

#include "libutil/sandbox_seccomp.h"
#include "tests/unit/suite.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <random>

namespace {

using Program = std::vector<sock_filter>;
constexpr std::uint32_t architecture = AUDIT_ARCH_X86_64;

// What the program answers; 1 (which is no answer) when it is none that a kernel would take.
std::uint32_t run(const Program& program, const seccomp_data& call)
{
    std::uint32_t accumulator = 0;
    for (std::size_t at = 0; at < program.size();) {
        const sock_filter& step = program[at++];
        switch (step.code) {
        case BPF_LD | BPF_W | BPF_ABS:
            if (step.k % 4 != 0 || step.k > sizeof call - 4)
                return 1;
            std::memcpy(&accumulator, reinterpret_cast<const char*>(&call) + step.k, sizeof accumulator);
            break;
        case BPF_ALU | BPF_AND | BPF_K: accumulator &= step.k; break;
        case BPF_JMP | BPF_JA: at += step.k; break;
        case BPF_JMP | BPF_JEQ | BPF_K: at += accumulator == step.k ? step.jt : step.jf; break;
        case BPF_JMP | BPF_JGE | BPF_K: at += accumulator >= step.k ? step.jt : step.jf; break;
        case BPF_RET | BPF_K: return step.k;
        default: return 1;
        }
    }
    return 1;
}

seccomp_data call(int number, std::uint64_t first = 0, std::uint64_t second = 0, std::uint64_t third = 0)
{
    seccomp_data data{};
    data.nr = number;
    data.arch = architecture;
    data.args[0] = first;
    data.args[1] = second;
    data.args[2] = third;
    return data;
}

Program program_of(std::vector<util::CallRule> rules)
{
    return util::filter_program(std::move(rules), architecture, SECCOMP_RET_TRAP, SECCOMP_RET_KILL_PROCESS);
}

// The rules as their header explains them.
std::uint32_t expected(const std::vector<util::CallRule>& rules, const seccomp_data& data)
{
    for (const util::CallRule& rule : rules) {
        if (rule.number != data.nr)
            continue;
        bool holds = true;
        for (const util::ArgumentTest& test : rule.tests)
            holds = holds && ((data.args[test.argument] & test.mask) == test.value) != test.differs;
        if (holds)
            return rule.verdict;
    }
    return SECCOMP_RET_TRAP;
}

TEST(without_rules_nothing_is_allowed)
{
    Program program = program_of({});
    for (int number : {0, 1, 500, -1})
        EQ(run(program, call(number)), SECCOMP_RET_TRAP);
}
END_TEST

TEST(the_first_rule_whose_tests_hold_decides)
{
    std::mt19937 random(20261129);
    auto below = [&random](unsigned limit) { return static_cast<unsigned>(random() % limit); };
    const std::uint64_t values[] = {0, 1, 2, 3, 1ull << 32, (1ull << 32) + 1, ~0ull};
    const std::uint32_t verdicts[] = {SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_ERRNO | ENOSYS};
    for (int round = 0; round < 200; ++round) {
        std::vector<util::CallRule> rules;
        for (unsigned count = below(300); count > 0; --count) {
            util::CallRule rule{.number = static_cast<int>(below(400)), .verdict = verdicts[below(3)], .tests = {}};
            for (unsigned tests = below(3); tests > 0; --tests) {
                std::uint64_t mask = below(2) ? ~0ull : values[below(7)];
                rule.tests.push_back(
                    {.argument = below(3), .mask = mask, .value = values[below(7)] & mask, .differs = below(2) == 0});
            }
            rules.push_back(std::move(rule));
        }
        Program program = program_of(rules);
        for (int number = -1; number < 402; ++number) {
            seccomp_data data = call(number, values[below(7)], values[below(7)], values[below(7)]);
            EQ(run(program, data), expected(rules, data));
        }
    }
}
END_TEST

TEST(a_call_of_another_architecture_ends_the_process)
{
    Program program = program_of({{.number = 5, .verdict = SECCOMP_RET_ALLOW, .tests = {}}});
    EQ(run(program, call(5)), SECCOMP_RET_ALLOW);
    seccomp_data foreign = call(5);
    foreign.arch = AUDIT_ARCH_I386;
    EQ(run(program, foreign), SECCOMP_RET_KILL_PROCESS);
    EQ(run(program, call(0x40000000 | 5)), SECCOMP_RET_TRAP);  // x32, on x86_64
}
END_TEST

// The longest choice still fits what a kernel takes, and a call is decided in few steps.
TEST(a_filter_is_short)
{
    std::vector<int> none;
    Program all = program_of(util::call_rules({.files = true, .connect = true, .network = true, .processes = true,
                                               .programs = true, .threads = true, .credentials = true, .more = none}));
    THAT(all.size() < 600);
    THAT(all.size() < BPF_MAXINSNS);
}
END_TEST

TEST(arguments_are_looked_at_whole)
{
    std::vector<int> none;
    Program program = program_of(util::call_rules({.connect = true, .more = none}));
    EQ(run(program, call(SYS_socket, AF_UNIX)), SECCOMP_RET_ALLOW);
    EQ(run(program, call(SYS_socket, AF_INET)), SECCOMP_RET_ERRNO | EAFNOSUPPORT);
    EQ(run(program, call(SYS_socket, AF_UNIX | 1ull << 32)), SECCOMP_RET_ERRNO | EAFNOSUPPORT);
    EQ(run(program, call(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE)), SECCOMP_RET_ALLOW);
    EQ(run(program, call(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC)), SECCOMP_RET_TRAP);
    EQ(run(program, call(SYS_prlimit64)), SECCOMP_RET_ALLOW);
    EQ(run(program, call(SYS_prlimit64, 1)), SECCOMP_RET_TRAP);
    EQ(run(program, call(SYS_prlimit64, 0, 0, 1)), SECCOMP_RET_TRAP);
    EQ(run(program, call(SYS_openat)), SECCOMP_RET_ERRNO | EPERM);
    EQ(run(program, call(SYS_ptrace)), SECCOMP_RET_TRAP);
}
END_TEST

TEST(a_socket_option_is_an_int_and_refused_alone)
{
    std::vector<int> none;
    for (bool never : {false, true}) {
        Program program = program_of(util::call_rules({.never_lingers = never, .more = none}));
        for (std::uint64_t upper : {0ull, 1ull << 32})
            EQ(run(program, call(SYS_setsockopt, 3, SOL_SOCKET | upper, SO_LINGER | upper)),
               never ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_ALLOW);
        EQ(run(program, call(SYS_setsockopt, 3, SOL_SOCKET, SO_SNDBUF)), SECCOMP_RET_ALLOW);
        EQ(run(program, call(SYS_setsockopt, 3, IPPROTO_TCP, SO_LINGER)), SECCOMP_RET_ALLOW);
    }
}
END_TEST

SUITE(sandbox_filter, without_rules_nothing_is_allowed, the_first_rule_whose_tests_hold_decides,
      a_call_of_another_architecture_ends_the_process, a_filter_is_short, arguments_are_looked_at_whole,
      a_socket_option_is_an_int_and_refused_alone)

}  // namespace
