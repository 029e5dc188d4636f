#include "libutil/standard_fds.h"

#include "libutil/sys.h"
#include "libutil/text.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <initializer_list>
#include <optional>
#include <sysexits.h>
#include <unistd.h>

namespace util {

void open_standard_fds()
{
    // The lowest free number is what open() gives.
    for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != fd)
            std::abort();
}

namespace {

std::optional<Error> output_failure;

}  // namespace

void print_out(std::string_view text)
{
    if (output_failure)
        return;
    if (auto written = sys::write_all(STDOUT_FILENO, text); !written)
        output_failure = written.take_error();
}

int end_output(std::string_view program, int status)
{
    if (!output_failure || output_failure->code == EPIPE)
        return status;
    (void)sys::write_all(STDERR_FILENO, concat(program, ": standard output: ", output_failure->text, '\n'));
    return status == EX_OK ? EX_IOERR : status;
}

}  // namespace util
