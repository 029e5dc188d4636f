// Tables for people.
#include "tools/common/table_text.h"

#include "libutil/text.h"

#include <algorithm>
#include <ctime>

namespace tools {

std::string table_of(const std::vector<std::vector<std::string>>& rows)
{
    std::vector<std::size_t> widths(rows.front().size());
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], row[i].size());
    std::string out;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i)
            util::append(out, row[i], std::string(i + 1 < row.size() ? widths[i] - row[i].size() + 2 : 0, ' '));
        out += '\n';
    }
    return out;
}

std::string time_text(std::int64_t seconds)
{
    std::time_t clock = seconds;
    std::tm local{};
    ::localtime_r(&clock, &local);
    char text[40];
    return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local));
}

}  // namespace tools
