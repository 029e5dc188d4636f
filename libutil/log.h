// The log: one event, one line, in Postfix's order, to a sink that is chosen at start.
//
// A line is "queue_id: key=value, key=value"; the sink adds time, program and pid.  Text from the
// net goes through util::printable() first; secrets never come here.  Writing never blocks: what
// the sink cannot take is counted and told in the next line that gets through.
#pragma once

#include "libutil/text.h"

#include <string>
#include <string_view>

namespace util::log {

enum class Level : unsigned char { Panic, Fatal, Error, Warning, Info, Verbose };

std::string_view name_of(Level level);

// Where lines go.  The default, until one of these is called, is standard error.
void to_stderr(std::string_view program);
// A datagram socket of the log daemon, inherited from master (descriptor number).
void to_socket(std::string_view program, int fd);
// Nowhere (fuzzers, unit tests that provoke warnings).
void to_nowhere();
// Lines above this level are dropped; Info at start.
void set_level(Level level);
bool enabled(Level level);

// Control bytes in `line` are escaped here once more, so that no caller can break a line in two.
void write(Level level, std::string_view line);

template <typename... Parts>
void info(const Parts&... parts)
{
    write(Level::Info, concat(parts...));
}
template <typename... Parts>
void warning(const Parts&... parts)
{
    write(Level::Warning, concat(parts...));
}
template <typename... Parts>
void error(const Parts&... parts)
{
    write(Level::Error, concat(parts...));
}
template <typename... Parts>
void verbose(const Parts&... parts)
{
    if (enabled(Level::Verbose))
        write(Level::Verbose, concat(parts...));
}

// Logs "fatal: ..." and ends the process with status 1; for the start of a program only.
template <typename... Parts>
[[noreturn]] void fatal(const Parts&... parts);
[[noreturn]] void exit_fatal();

template <typename... Parts>
[[noreturn]] void fatal(const Parts&... parts)
{
    write(Level::Fatal, concat(parts...));
    exit_fatal();
}

}  // namespace util::log
