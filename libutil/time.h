// Time: the two clocks, deadlines.
//
// Everything that waits takes a Deadline, so that a chain of waits cannot take longer than was
// meant; logic in multiplexers takes Instants as arguments and knows no clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace util {

using namespace std::chrono_literals;
using Duration = std::chrono::microseconds;
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;  // monotonic
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;  // since 1970, UTC

Instant now();
WallTime wall_now();
inline std::int64_t unix_seconds(WallTime time)
{
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}
inline WallTime from_unix_seconds(std::int64_t seconds)
{
    return WallTime(std::chrono::seconds(seconds));
}

class Deadline {
public:
    // In this long from now.
    static Deadline in(Duration duration) { return Deadline(now() + duration); }
    static Deadline at(Instant instant) { return Deadline(instant); }
    static Deadline never() { return Deadline(Instant::max()); }

    bool is_never() const { return at_ == Instant::max(); }
    bool passed() const { return !is_never() && now() >= at_; }
    Instant instant() const { return at_; }

    // For poll(2): milliseconds left, rounded up, at least 0; -1 for never.
    int poll_milliseconds() const;

private:
    explicit Deadline(Instant at) : at_(at) {}
    Instant at_;
};

// "1.2" or "0.05" or "3600": seconds in the precision of Postfix's delay= fields.
std::string format_delay(Duration duration);

}  // namespace util
