// A list of system calls as a program for the kernel's filter (BPF, seccomp(2)).
//
// What is decided by the number alone becomes one search among the numbers at which the decision changes: some
// ten steps for any call, and nothing to sort out when a process starts.
#pragma once

#include <cstdint>
#include <linux/filter.h>
#include <vector>

namespace util {

// (argument & mask) == value, or not so.
struct ArgumentTest {
    unsigned argument = 0;  // 0 to 5
    std::uint64_t mask = ~std::uint64_t{0};
    std::uint64_t value = 0;
    bool differs = false;
};

// What happens to a call, if its tests hold.  `verdict` is one of SECCOMP_RET_.
struct CallRule {
    int number = 0;  // SYS_...
    std::uint32_t verdict = 0;
    std::vector<ArgumentTest> tests;
};

// The first rule of a number whose tests hold decides; where none does, and for all other numbers, `otherwise`.
// Calls of another architecture's form, such as a 32-bit program's, get `foreign`.
std::vector<sock_filter> filter_program(std::vector<CallRule> rules, std::uint32_t architecture, std::uint32_t otherwise,
                                        std::uint32_t foreign);

}  // namespace util
