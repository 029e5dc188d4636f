// A shortage of descriptors, made with the limit of open files.
#pragma once

#include "tests/unit/suite.h"

#include <sys/resource.h>
#include <unistd.h>

namespace test {

// While it lives this process cannot open one file more.
class NoDescriptors {
public:
    NoDescriptors()
    {
        ck_assert(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
        int next = ::dup(0);
        ck_assert(next >= 0);
        ::close(next);
        first_ = static_cast<rlim_t>(next);
        leave(first_);
    }
    ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    NoDescriptors(const NoDescriptors&) = delete;
    NoDescriptors& operator=(const NoDescriptors&) = delete;

    // But for one.
    void leave_one() { leave(first_ + 1); }
    // All descriptors from `first` on are out of reach.
    void leave(rlim_t first)
    {
        rlimit tight{first, before_.rlim_max};
        ck_assert(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
    }

private:
    rlimit before_{};
    rlim_t first_ = 0;
};

}  // namespace test
