// The parameters of log(8), beside maillog_file and syslog_facility, which are shared.
#pragma once

#include "libconf/parameter.h"

namespace logger {

enum class Format : unsigned char { Text, Json };

struct Config : conf::Section {
    conf::Choice<Format> format{this, "maillog_file_format", "text", {{"text", Format::Text}, {"json", Format::Json}},
        "What lines in $maillog_file look like: text in Postfix's form, or one JSON object a line "
        "with time, host, program, pid, uid, level, queue_id, the key=value pairs and the text."};
    conf::Size rotate_size{this, "maillog_file_rotate_size", "0", {.max = std::uint64_t(1) << 40},
        "At this size $maillog_file is renamed and a new one begun; 0: never."};
    conf::Duration rotate_age{this, "maillog_file_rotate_age", "0s",
        "At this age $maillog_file is renamed and a new one begun; 0: never."};
    conf::Text rotate_suffix{this, "maillog_file_rotate_suffix", "%Y%m%d-%H%M%S", {.min = 1, .max = 100},
        "What is put behind $maillog_file and a full stop when it is renamed, as in strftime(3).  "
        "Names must sort by time."};
    conf::Count rotate_keep{this, "maillog_file_rotate_keep", "10", {.min = 1, .max = 10'000},
        "How many renamed files are kept; older ones are removed."};
};

}  // namespace logger
