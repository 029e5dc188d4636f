// Time: the two clocks, deadlines, and delays as log lines show them.
#include "libutil/time.h"

#include "libutil/text.h"

#include <algorithm>
#include <limits>

namespace util {

Instant now()
{
    return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

WallTime wall_now()
{
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

int Deadline::poll_milliseconds() const
{
    if (is_never())
        return -1;
    auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - now()).count();
    return static_cast<int>(
        std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

// Postfix shows two significant digits below 100 s, and no more than hundredths.
std::string format_delay(Duration duration)
{
    std::int64_t microseconds = std::max<std::int64_t>(duration.count(), 0);
    if (microseconds >= 9'950'000)
        return concat((microseconds + 500'000) / 1'000'000);
    std::int64_t unit = microseconds >= 995'000 ? 100'000 : 10'000;
    std::int64_t hundredths = (microseconds + unit / 2) / unit * unit / 10'000;
    std::string out = concat(hundredths / 100);
    if (hundredths % 100 != 0) {
        append(out, ".", hundredths / 10 % 10);
        if (hundredths % 10 != 0)
            append(out, hundredths % 10);
    }
    return out;
}

}  // namespace util
