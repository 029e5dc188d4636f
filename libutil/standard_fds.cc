#include "libutil/standard_fds.h"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <initializer_list>
#include <unistd.h>

namespace util {

void open_standard_fds()
{
    // The lowest free number is what open() gives.
    for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != fd)
            std::abort();
}

bool flush_standard_output()
{
    bool flushed = std::fflush(stdout) == 0 && !std::ferror(stdout);
    if (!flushed)
        std::perror("standard output");
    return flushed;
}

}  // namespace util
