// Shortage: tells the log of descriptors that ran out: once when it begins, once when it is over.
#pragma once

#include "libutil/time.h"

#include <string_view>

namespace util {

class Shortage {
public:
    // A descriptor could not be had (Error::code EMFILE or ENFILE).  `consequence` says what becomes of it:
    // "clients are turned away".
    void begin(int code, std::string_view consequence);
    // One could.
    void end()
    {
        if (active_)
            tell_end();
    }
    bool active() const { return active_; }

private:
    void tell_end();

    bool active_ = false;
    Instant since_{};
};

}  // namespace util
