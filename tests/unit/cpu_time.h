// What something costs, however busy the machine is.
#pragma once

#include <ctime>

namespace test {

// Of the processor, used by this process so far.
inline double cpu_seconds()
{
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return double(now.tv_sec) + double(now.tv_nsec) / 1e9;
}

}  // namespace test
