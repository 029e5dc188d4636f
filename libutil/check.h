// CHECK(): an invariant that is always compiled in.  A broken one logs "panic:" and aborts; the
// supervisor starts a fresh process and the peers answer 4xx meanwhile.
#pragma once

namespace util {

[[noreturn]] void panic(const char* expression, const char* file, int line);

}  // namespace util

#define CHECK(condition)                                     \
    do {                                                     \
        if (!(condition)) [[unlikely]]                       \
            ::util::panic(#condition, __FILE__, __LINE__);   \
    } while (false)
