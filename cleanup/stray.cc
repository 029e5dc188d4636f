// StrayFilter: looks at each CR and LF and its neighbour.
#include "cleanup/stray.h"

#include <cstring>

namespace cleanup {

void StrayFilter::filter(std::string& bytes)
{
    if (bytes.empty())
        return;
    if (carriage_return_)
        bytes.insert(bytes.begin(), '\r');
    carriage_return_ = bytes.back() == '\r';
    if (carriage_return_)
        bytes.pop_back();
    char* data = bytes.data();
    std::size_t size = bytes.size();
    // The end of the last good line: LFs from here on must have their CR behind it.
    for (std::size_t at = 0; at < size;) {
        auto* found = static_cast<char*>(std::memchr(data + at, '\n', size - at));
        std::size_t line_end = found ? static_cast<std::size_t>(found - data) : size;
        bool good = found && line_end > at && data[line_end - 1] == '\r';
        std::size_t text_end = good ? line_end - 1 : line_end;
        for (char* stray = data + at;
             (stray = static_cast<char*>(std::memchr(stray, '\r', static_cast<std::size_t>(data + text_end - stray))));) {
            *stray++ = ' ';
            ++replaced_;
        }
        if (found && !good) {
            *found = ' ';
            ++replaced_;
        }
        at = line_end + 1;
    }
}

std::string_view StrayFilter::finish()
{
    if (!carriage_return_)
        return {};
    carriage_return_ = false;
    ++replaced_;
    return " ";
}

}  // namespace cleanup
