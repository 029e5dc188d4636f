// A copy of the mailbox process that reads for it: a search, or the next segment of the index.
//
// It sees the store as it was when it was made and can change nothing: it keeps its files alone and one pipe, closes
// fences of its own around itself (read the store's directory, no more), and has limits of memory and time.  What it
// has read of hostile mail ends with it.
#pragma once

#include "libutil/event.h"
#include "libutil/sandbox.h"
#include "libutil/time.h"
#include "libutil/unique_fd.h"

#include <sys/types.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace mailbox {

struct CopyLimits {
    std::uint64_t memory = 64U << 20;            // bytes besides what the process has already
    util::Duration time{std::int64_t(60) * 1'000'000};   // of the clock, and of the processor
    int nice = 0;
};
// It closes all that is not its own, looking at so many descriptors with one call.
constexpr std::size_t descriptors_at_once = 512;
// Of what a copy says, so much may wait for the mailbox.
constexpr std::size_t max_copy_words = 16U << 20;

class CopyProcess {
public:
    using Say = std::function<void(std::string_view)>;

    // `fences` was prepared before the mailbox entered its own.  The copy keeps `descriptors` open besides regular
    // files.  `heard` is called when it has said something, or is over.
    static util::Result<std::unique_ptr<CopyProcess>> start(util::EventLoop& loop, const CopyLimits& limits,
                                                            util::Sandbox& fences, std::span<const int> descriptors,
                                                            const std::function<void(const Say&)>& work,
                                                            std::function<void()> heard);
    CopyProcess(pid_t pid, util::UniqueFd pipe) : pid_(pid), pipe_(std::move(pipe)) {}
    CopyProcess(const CopyProcess&) = delete;
    CopyProcess& operator=(const CopyProcess&) = delete;
    ~CopyProcess();   // ends it

    std::string take() { return std::exchange(said_, {}); }
    bool has_news() const { return !said_.empty(); }
    bool is_over() const { return pid_ < 0; }
    // When it is over: did it end as it should?  Else why.
    bool failed() const { return !failure_.empty(); }
    const std::string& failure() const { return failure_; }

private:
    void ready();
    void end();

    pid_t pid_;
    util::UniqueFd pipe_;
    std::string said_;
    std::string failure_;
    std::function<void()> heard_;
    util::Watch watch_;
};

}  // namespace mailbox
