// For tests of what a signal interrupts.
#pragma once

#include <csignal>
#include <sys/time.h>

namespace test {

// Signals until the test is over, so that one comes while a write waits.
class Signals {
public:
    Signals()
    {
        count_ = 0;
        struct sigaction action {};
        action.sa_handler = [](int) { count_ = count_ + 1; };
        ::sigaction(SIGALRM, &action, nullptr);
        repeat(10'000);
    }
    ~Signals()
    {
        repeat(0);
        ::signal(SIGALRM, SIG_DFL);
    }
    static bool several() { return count_ >= 3; }

private:
    static void repeat(suseconds_t time)
    {
        itimerval timer{.it_interval = {.tv_sec = 0, .tv_usec = time}, .it_value = {.tv_sec = 0, .tv_usec = time}};
        ::setitimer(ITIMER_REAL, &timer, nullptr);
    }

    static inline volatile std::sig_atomic_t count_ = 0;
};

}  // namespace test
