// Descriptors 0 to 2 for programs that people and other programs start.
#pragma once

#include <string_view>

namespace util {

// Opens /dev/null where one of them is closed.  First thing in main(): else the next file that is
// opened becomes standard error, and a complaint is written into it.
void open_standard_fds();

// Writes to standard output, at once.  When that fails it is remembered, and the rest is dropped.
void print_out(std::string_view text);

// The exit status of a tool that has used print_out(): `status`, or EX_IOERR if that is 0 and not all
// was written; standard error then says why.  A reader that went away (head -1) is no failure.
int end_output(std::string_view program, int status);

}  // namespace util
