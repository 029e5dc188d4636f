// The check mode of daemons: started with TERN_CHILD=check, a daemon reads its parameters, reports
// what is wrong with them on standard output and ends.
#pragma once

#include "libconf/problems.h"

#include <string>
#include <string_view>

namespace server {

constexpr std::string_view check_mode = "check";
constexpr int check_found_errors = 78;  // EX_CONFIG of sysexits.h

// The file of a problem with the words that master.cf has behind a program's name.
constexpr std::string_view own_line = "master.cf";

// "FILE\tLINE\t[e|w]\tTEXT" without an end of line; control bytes in the text become spaces.
std::string report_line(const conf::Problem& problem);
// Writes them all and ends the process: status 0, or check_found_errors.
[[noreturn]] void report_problems(const conf::Problems& problems);

}  // namespace server
