// The check mode of daemons.
#include "libipc/check_mode.h"

#include "libutil/text.h"

#include <unistd.h>

#include <cstdlib>

namespace server {

std::string report_line(const conf::Problem& problem)
{
    std::string text = problem.text;
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < ' ')
            c = ' ';
    }
    return util::concat(problem.file, "\t", problem.line, "\t", problem.warning ? "w" : "e", "\t", text);
}

void report_problems(const conf::Problems& problems)
{
    std::string out;
    for (const conf::Problem& problem : problems.all())
        util::append(out, report_line(problem), "\n");
    std::string_view left = out;
    while (!left.empty()) {
        ssize_t wrote = ::write(STDOUT_FILENO, left.data(), left.size());
        if (wrote <= 0)
            break;  // nobody reads it any more
        left.remove_prefix(static_cast<std::size_t>(wrote));
    }
    std::exit(problems.any() ? check_found_errors : 0);
}

}  // namespace server
