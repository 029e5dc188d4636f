// From rules to instructions.
#include "libutil/sandbox_filter.h"

#include "libutil/check.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <limits>
#include <linux/seccomp.h>
#include <span>

namespace util {

namespace {

using Program = std::vector<sock_filter>;

constexpr std::uint16_t load_word = BPF_LD | BPF_W | BPF_ABS;
constexpr std::size_t longest_jump = std::numeric_limits<std::uint8_t>::max();

sock_filter statement(std::uint16_t code, std::uint32_t value) { return {code, 0, 0, value}; }

// Skips so many instructions.
sock_filter jump(std::uint16_t test, std::uint32_t value, std::size_t if_true, std::size_t if_false)
{
    CHECK(if_true <= longest_jump && if_false <= longest_jump);
    return {static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), static_cast<std::uint8_t>(if_true),
            static_cast<std::uint8_t>(if_false), value};
}

sock_filter answer(std::uint32_t verdict) { return statement(BPF_RET | BPF_K, verdict); }

// From this number on, until that of the next piece, these rules.
struct Piece {
    std::uint32_t begin = 0;
    std::span<const CallRule> rules;
};

bool alike(const Piece& one, const Piece& other)
{
    auto plain = [](const Piece& piece) { return piece.rules.empty() || piece.rules.front().tests.empty(); };
    if (!plain(one) || !plain(other) || one.rules.empty() != other.rules.empty())
        return false;
    return one.rules.empty() || one.rules.front().verdict == other.rules.front().verdict;
}

// Neighbours that decide alike are one piece.
std::vector<Piece> pieces(std::span<const CallRule> rules)
{
    std::vector<Piece> made{Piece{}};
    made.reserve(2 * rules.size() + 1);
    auto begin = [&made](Piece piece) {
        if (made.back().begin == piece.begin)
            made.pop_back();
        if (made.empty() || !alike(made.back(), piece))
            made.push_back(piece);
    };
    for (std::size_t at = 0; at < rules.size();) {
        std::size_t end = at;
        while (end < rules.size() && rules[end].number == rules[at].number)
            ++end;
        auto number = static_cast<std::uint32_t>(rules[at].number);
        begin({number, rules.subspan(at, end - at)});
        begin({number + 1, {}});
        at = end;
    }
    return made;
}

class Assembler {
public:
    explicit Assembler(std::uint32_t otherwise) : otherwise_(otherwise) {}

    // The program of a whole search among pieces: the number is in the accumulator.
    Program make(std::span<const Piece> among, Program begun)
    {
        program_ = std::move(begun);
        search(among);
        return std::move(program_);
    }

private:
    void search(std::span<const Piece> among)
    {
        if (among.size() == 1)
            return decide(among.front().rules);
        std::size_t half = among.size() / 2;
        // How far the upper half is, is known when the lower one is there.
        std::size_t compare = program_.size();
        program_.push_back(jump(BPF_JGE, among[half].begin, 0, 1));
        program_.push_back(statement(BPF_JMP | BPF_JA, 0));
        search(among.first(half));
        std::size_t distance = program_.size() - compare - 2;
        if (distance <= longest_jump) {
            program_[compare] = jump(BPF_JGE, among[half].begin, distance, 0);
            program_.erase(program_.begin() + static_cast<std::ptrdiff_t>(compare + 1));
        } else {
            program_[compare + 1].k = static_cast<std::uint32_t>(distance);
        }
        search(among.subspan(half));
    }

    void decide(std::span<const CallRule> rules)
    {
        for (const CallRule& rule : rules) {
            std::size_t first = program_.size();
            for (const ArgumentTest& test : rule.tests)
                append_test(test);
            program_.push_back(answer(rule.verdict));
            if (rule.tests.empty())
                return;
            mend_jumps(first);
        }
        program_.push_back(answer(otherwise_));
    }

    // Goes on behind what it appends if the test holds, else to `next_rule`.
    void append_test(const ArgumentTest& test)
    {
        CHECK(test.argument < 6);
        std::uint32_t first = static_cast<std::uint32_t>(offsetof(seccomp_data, args) + test.argument * sizeof(std::uint64_t));
        bool little = std::endian::native == std::endian::little;
        auto upper = [](std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); };
        auto lower = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };

        constexpr std::size_t half = 3;  // instructions of one
        compare_half(first + (little ? 4 : 0), upper(test.mask), upper(test.value), 0, test.differs ? half : next_rule);
        compare_half(first + (little ? 0 : 4), lower(test.mask), lower(test.value), test.differs ? next_rule : 0,
                     test.differs ? 0 : next_rule);
    }

    void compare_half(std::uint32_t offset, std::uint32_t mask, std::uint32_t value, std::size_t when_equal,
                      std::size_t when_not)
    {
        program_.push_back(statement(load_word, offset));
        program_.push_back(statement(BPF_ALU | BPF_AND | BPF_K, mask));
        program_.push_back(jump(BPF_JEQ, value, when_equal, when_not));
    }

    // From here on to the end are one rule's tests: where they say `next_rule`, it is behind the end.
    void mend_jumps(std::size_t first)
    {
        for (std::size_t at = first; at < program_.size(); ++at) {
            std::size_t distance = program_.size() - at - 1;
            CHECK(distance < next_rule);
            for (std::uint8_t* way : {&program_[at].jt, &program_[at].jf})
                if (*way == next_rule)
                    *way = static_cast<std::uint8_t>(distance);
        }
    }

    static constexpr std::size_t next_rule = longest_jump;  // a mark, until the distance is known

    std::uint32_t otherwise_;
    Program program_;
};

}  // namespace

std::vector<sock_filter> filter_program(std::vector<CallRule> rules, std::uint32_t architecture, std::uint32_t otherwise,
                                        std::uint32_t foreign)
{
    std::ranges::stable_sort(rules, {}, &CallRule::number);
    Program program{
        statement(load_word, offsetof(seccomp_data, arch)),
        jump(BPF_JEQ, architecture, 1, 0),
        answer(foreign),
        statement(load_word, offsetof(seccomp_data, nr)),
    };
    program.reserve(4 * rules.size());
    return Assembler(otherwise).make(pieces(rules), std::move(program));
}

}  // namespace util
