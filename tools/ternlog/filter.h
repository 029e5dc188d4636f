// Which lines of the log ternlog(1) shows.
#pragma once

#include "libutil/result.h"
#include "tools/common/log_line.h"

#include <optional>
#include <string>
#include <vector>

namespace ternlog {

// A line must match one word of each kind that has words, and all texts.
struct Filter {
    std::optional<std::int64_t> since, until;  // microseconds since 1970; until is excluded
    std::vector<std::string> daemons;          // smtpd, or smtp/smtpd as it stands in the log
    std::vector<std::string> ids;
    std::vector<std::string> addresses;  // without <>
    std::vector<std::string> statuses;   // sent, deferred, bounced, expired, reject, hold ..
    std::vector<std::string> levels;
    std::vector<std::string> texts;  // anywhere in the text

    bool matches(const tools::LogLine& line) const;

    // Puts a word where it belongs by what it looks like: a queue id, an address, a status, a level, a
    // daemon, or else a text.
    void add_word(std::string_view word);
};

}  // namespace ternlog
