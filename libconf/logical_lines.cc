// Lines with continuations.
#include "libconf/logical_lines.h"

#include "libutil/text.h"

namespace conf {

std::vector<LogicalLine> logical_lines(std::string_view text, std::string_view file, Problems& problems)
{
    std::vector<LogicalLine> lines;
    bool skipping = false;  // the current logical line is already known to be bad
    int number = 0;
    while (!text.empty()) {
        std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        ++number;
        std::string_view content = util::trim(line);
        if (content.empty() || content.front() == '#')
            continue;
        bool continues = util::is_space(line.front());
        if (continues && lines.empty() && !skipping) {
            problems.add(file, number, "a line that begins with white space continues the one before, "
                                       "and there is none");
            skipping = true;
            continue;
        }
        if (continues && skipping)
            continue;
        if (!continues) {
            skipping = false;
            lines.push_back({std::string(), number, number});
        }
        LogicalLine& current = lines.back();
        std::string_view fault;
        if (content.find('\0') != std::string_view::npos)
            fault = "the line has a NUL byte";
        else if (current.text.size() + content.size() >= max_logical_line)
            fault = "the line with its continuations is too long";
        if (!fault.empty()) {
            problems.add(file, current.number, std::string(fault));
            lines.pop_back();
            skipping = true;
            continue;
        }
        current.last = number;
        util::append(current.text, current.text.empty() ? "" : " ", content);
    }
    return lines;
}

}  // namespace conf
