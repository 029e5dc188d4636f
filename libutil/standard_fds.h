// Descriptors 0 to 2 for programs that people and other programs start.
#pragma once

namespace util {

// Opens /dev/null where one of them is closed.  First thing in main(): else the next file that is
// opened becomes standard error, and a complaint is written into it.
void open_standard_fds();

// Did everything that was written to standard output by stdio arrive?  At the end of main().
bool flush_standard_output();

}  // namespace util
