// Where the reports of sanitizers go, and how they are made.
#include "libutil/sanitizer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

namespace util::sanitizer {

void keep_reports()
{
    if constexpr (!on)
        return;
    const char* path = std::getenv(reports_variable);
    int file = path ? ::open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    ::dup2(file, STDERR_FILENO);
    ::close(file);
}

}  // namespace util::sanitizer

#if defined(__SANITIZE_ADDRESS__)
// The name is the sanitizer's; standard error is asked for in the environment of daemons, which is clean.
extern "C" const char* __ubsan_default_options();
extern "C" const char* __ubsan_default_options() { return "print_stacktrace=1"; }
#endif
