// A process becomes a command: what is left of its own is closed, set back or limited before.
#pragma once

#include "libutil/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace util {

// Where a command without a slash in its name is looked for, and the PATH that commands have.
constexpr std::string_view command_path = "/usr/bin:/bin";

// Closes all descriptors from `first` on but those named; a number below 0 means none.
void close_all_but(std::vector<int> kept, int first);

// No core file; no file larger than `file_size` bytes and no more than `processes` of the user, where these are
// not 0.  Handed down to the command.
Result<void> limit_command(std::uint64_t file_size, std::uint64_t processes = 0);

// Puts `input` at 0 and `output` at 1 and 2; `result` becomes 3 and stays until the exec, all else is closed.
Result<void> place_command_descriptors(int input, int output, int& result);

// All signals as after boot: an ignored or blocked one would survive an exec.
void reset_signals();

// reset_signals(), then the command, which is arguments[0].  When it cannot be executed standard
// error has the reason, and the status is EX_TEMPFAIL: somebody will mend it.
[[noreturn]] void execute_command(std::vector<std::string> arguments, std::vector<std::string> environment);

}  // namespace util
