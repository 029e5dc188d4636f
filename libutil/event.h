// The event loop of multiplexers: libevent behind objects that own what they registered.
//
// An object unregisters when it is destroyed.  A callback may destroy any of these objects, its own
// included, may move them, and may stop the loop; it must not throw (nothing here does).  One loop
// belongs to one thread.  Nothing of libevent shows here.
#pragma once

#include "libutil/result.h"
#include "libutil/time.h"

#include <functional>
#include <memory>

struct event_base;

namespace util {

void free_event_base(event_base* base);

class EventLoop {
public:
    // Temporary without memory or descriptors.
    static Result<EventLoop> create();

    // Serves events until stop(), or until nothing is registered.
    void run();
    // Waits until something is ready and serves that; for owners with work between the rounds.
    void run_once();
    // Serves what is ready now, without waiting.
    void run_ready();
    // Waits for at most this long and serves what became ready.
    void run_for(Duration limit);
    // Makes run() return after the current callback; may be called before run() too.
    void stop();
    bool stopping() const { return stopping_; }

    // In a child after fork(2) that goes on using the loop.
    void after_fork();

    event_base* base() const { return base_.get(); }

private:
    struct Free {
        void operator()(event_base* base) const { free_event_base(base); }
    };
    explicit EventLoop(event_base* base) : base_(base) {}

    std::unique_ptr<event_base, Free> base_;
    bool stopping_ = false;
};

namespace detail {
struct Registration;
}

// Calls back while a descriptor is readable or writable (level-triggered).  The descriptor stays
// the caller's, who destroys the Watch before closing it.
class Watch {
public:
    enum Interest : unsigned { None = 0, Read = 1, Write = 2, ReadWrite = 3 };
    // What is ready; errors and hang-ups show as readable, writable or both.
    using Callback = std::function<void(unsigned ready)>;

    Watch() = default;
    Watch(EventLoop& loop, int fd, unsigned interest, Callback callback);

    // Changes what is waited for; None pauses.
    void want(unsigned interest);
    unsigned interest() const;
    bool valid() const { return registration_ != nullptr; }
    void reset() { registration_.reset(); }

private:
    // Shared with the trampoline for as long as the callback runs, so that it may destroy its Watch.
    std::shared_ptr<detail::Registration> registration_;
};

// Calls back once, after a time.
class Timer {
public:
    Timer() = default;
    Timer(EventLoop& loop, std::function<void()> callback);

    // Starts, or starts anew; zero or negative durations fire in the loop's next round.
    void start(Duration after);
    void start_at(Instant instant) { start(instant - now()); }
    void stop();
    bool running() const;
    void reset() { registration_.reset(); }

private:
    std::shared_ptr<detail::Registration> registration_;  // as Watch's
};

// Calls back, in the loop and not in the handler, after a signal.
class SignalWatch {
public:
    SignalWatch() = default;
    SignalWatch(EventLoop& loop, int signal, std::function<void()> callback);

private:
    std::shared_ptr<detail::Registration> registration_;  // as Watch's
};

}  // namespace util
