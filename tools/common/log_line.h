// A line of the mail log, in either form that log(8) writes ($maillog_file_format).  Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tools {

// Longer lines are no lines of ours.
constexpr std::size_t max_log_line = 64 * 1024;

// Views into the line, or into the storage that was given to parse_log_line.
struct LogLine {
    std::string_view time;  // "2026-11-23T20:01:02.123456+00:00"
    std::string_view host;
    std::string_view program;  // "tern/smtpd"
    std::string_view service;  // "smtpd"
    std::uint32_t pid = 0;
    std::string_view level;  // panic, fatal, error, warning, info, verbose
    std::string_view text;   // without the level's word
    std::string_view id;     // a queue id or NOQUEUE; empty where the text begins with none
    std::string_view rest;   // of the text, behind the id
};

// Takes a line apart, which is without its end.  False when it is of neither form.  Only JSON needs `storage`.
bool parse_log_line(std::string_view line, LogLine& out, std::string& storage);

// Microseconds since 1970 of a line's time; nothing when it is none.
std::optional<std::int64_t> parse_log_time(std::string_view text);

// One JSON object, as log(8) would have written it, without uid, and without the end of the line.
std::string log_line_to_json(const LogLine& line);
// The other form.
std::string log_line_to_text(const LogLine& line);

// The first value of a key in "key=value, key=value (why)"; <> around it are taken off.
std::string_view log_field(std::string_view rest, std::string_view key);

// Does the line have <address> as the value of from, to, orig_to or message-id?  ASCII case is ignored; the
// address is without <>.
bool names_address(std::string_view rest, std::string_view address);

}  // namespace tools
