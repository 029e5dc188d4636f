// Times as people write them on a command line.
#pragma once

#include "libutil/result.h"

#include <cstdint>
#include <string_view>

namespace tools {

// Microseconds since 1970; `to` is behind the last one.
struct TimeSpan {
    std::int64_t from = 0;
    std::int64_t to = 0;
};

// "2026-11-23", "2026-11-23T10:11", "2026-11-23 10:11:12" and "10:11" (today) are that day, minute or second in
// local time; "90s", "5m", "2h", "3d" and "1w" the time from then, counted back from `now`, until now; "today",
// "yesterday" and "now" what they say.  Invalid: anything else.
util::Result<TimeSpan> parse_time_words(std::string_view text, std::int64_t now);

// The end that a word means after "until": of a day, minute or second its end; of "2h" the instant two hours ago.
util::Result<std::int64_t> parse_until(std::string_view text, std::int64_t now);

}  // namespace tools
