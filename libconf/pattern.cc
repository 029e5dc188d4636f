// PCRE2 behind Pattern.  No JIT: its memory is writable and executable.
#define PCRE2_CODE_UNIT_WIDTH 8
#include "libconf/pattern.h"

#include "libutil/text.h"

#include <pcre2.h>

namespace conf {

using util::concat;
using util::Result;

void free_pattern_code(pcre2_code* code) { pcre2_code_free(code); }
void free_pattern_match(pcre2_match_data* data) { pcre2_match_data_free(data); }
void free_pattern_context(pcre2_match_context* context) { pcre2_match_context_free(context); }

namespace {

std::string message_of(int code)
{
    unsigned char text[200] = {};
    pcre2_get_error_message(code, text, sizeof text);
    return reinterpret_cast<const char*>(text);
}

const unsigned char* bytes_of(std::string_view text)
{
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Result<Pattern> Pattern::compile(std::string_view text, PatternOptions options)
{
    if (text.size() > max_pattern_length)
        return util::invalid(concat("the pattern is longer than ", max_pattern_length, " bytes"));
    std::uint32_t flags = (options.ignore_case ? PCRE2_CASELESS : 0) | (options.multi_line ? PCRE2_MULTILINE : 0) |
                          (options.dot_all ? PCRE2_DOTALL : 0) | (options.extended ? PCRE2_EXTENDED : 0) |
                          (options.anchored ? PCRE2_ANCHORED : 0) |
                          (options.dollar_end_only ? PCRE2_DOLLAR_ENDONLY : 0) |
                          (options.ungreedy ? PCRE2_UNGREEDY : 0) | PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C;
    int fault = 0;
    std::size_t offset = 0;
    Pattern pattern;
    pattern.code_.reset(pcre2_compile(bytes_of(text), text.size(), flags, &fault, &offset, nullptr));
    if (!pattern.code_)
        return util::invalid(concat("pattern: ", message_of(fault), " (at byte ", offset + 1, ')'));
    pattern.data_.reset(pcre2_match_data_create_from_pattern(pattern.code_.get(), nullptr));
    pattern.context_.reset(pcre2_match_context_create(nullptr));
    CHECK(pattern.data_ && pattern.context_);
    pcre2_set_match_limit(pattern.context_.get(), pattern_match_limit);
    pcre2_set_depth_limit(pattern.context_.get(), pattern_depth_limit);
    pcre2_set_heap_limit(pattern.context_.get(), pattern_heap_limit);
    return pattern;
}

Result<bool> Pattern::match(std::string_view subject, std::vector<std::string_view>& groups) const
{
    subject = subject.substr(0, max_pattern_subject);
    groups.clear();
    int count = pcre2_match(code_.get(), bytes_of(subject), subject.size(), 0, 0, data_.get(), context_.get());
    if (count == PCRE2_ERROR_NOMATCH)
        return false;
    if (count < 0)
        return util::temporary(concat("pattern: ", message_of(count)));
    const std::size_t* offsets = pcre2_get_ovector_pointer(data_.get());
    for (std::size_t i = 0; i <= group_count(); ++i) {
        bool part = i < std::size_t(count) && offsets[2 * i] != PCRE2_UNSET &&
                    offsets[2 * i] <= offsets[2 * i + 1];  // \K in a lookahead can swap them
        groups.push_back(part ? subject.substr(offsets[2 * i], offsets[2 * i + 1] - offsets[2 * i])
                              : std::string_view());
    }
    return true;
}

std::uint32_t Pattern::group_count() const
{
    std::uint32_t count = 0;
    pcre2_pattern_info(code_.get(), PCRE2_INFO_CAPTURECOUNT, &count);
    return count;
}

}  // namespace conf
