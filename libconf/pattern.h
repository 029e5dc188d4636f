// Regular expressions: PCRE2 with limits, over bytes.
#pragma once

#include "libutil/handle.h"
#include "libutil/result.h"

#include <cstdint>
#include <string_view>
#include <vector>

struct pcre2_real_code_8;
struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;

namespace conf {

// How much work and memory one match may take; beyond it is an error, not a wait.
constexpr std::uint32_t pattern_match_limit = 500'000;
constexpr std::uint32_t pattern_depth_limit = 5'000;
constexpr std::uint32_t pattern_heap_limit = 20'000;  // KiB
constexpr std::size_t max_pattern_length = 20'000;    // bytes
constexpr std::size_t max_pattern_subject = 200'000;  // bytes; what is behind is not looked at

struct PatternOptions {
    bool ignore_case = true;
    bool multi_line = false;   // ^ and $ match at line ends inside
    bool dot_all = true;       // . matches a line end
    bool extended = false;     // blanks and comments in the pattern
    bool anchored = false;
    bool dollar_end_only = false;
    bool ungreedy = false;
};

void free_pattern_code(pcre2_real_code_8* code);
void free_pattern_match(pcre2_real_match_data_8* data);
void free_pattern_context(pcre2_real_match_context_8* context);

class Pattern {
public:
    // Invalid: what is wrong, and at which byte.
    static util::Result<Pattern> compile(std::string_view text, PatternOptions options);

    // Fills `groups` (0 is the whole match; groups that took no part are empty) with views into
    // `subject`.  Temporary: over a limit.
    util::Result<bool> match(std::string_view subject, std::vector<std::string_view>& groups) const;
    // How many groups there are, without the whole match.
    std::uint32_t group_count() const;

private:
    Pattern() = default;
    util::Handle<pcre2_real_code_8, free_pattern_code> code_;
    util::Handle<pcre2_real_match_data_8, free_pattern_match> data_;
    util::Handle<pcre2_real_match_context_8, free_pattern_context> context_;
};

}  // namespace conf
