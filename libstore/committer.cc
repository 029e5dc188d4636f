// The helper thread (see committer.h).
#include "libstore/committer.h"

#include "libutil/sys.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <iterator>

namespace store {

util::Result<std::unique_ptr<Committer>> Committer::start()
{
    util::UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!event)
        return util::system_error("eventfd", errno);
    return std::make_unique<Committer>(std::move(event));
}

Committer::Committer(util::UniqueFd event) : event_(std::move(event))
{
    thread_ = std::thread([this] { run(); });
}

Committer::~Committer()
{
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    work_.notify_one();
    thread_.join();
}

void Committer::submit(std::unique_ptr<Job> job)
{
    {
        std::lock_guard lock(mutex_);
        queue_.push_back(std::move(job));
    }
    work_.notify_one();
}

std::vector<std::unique_ptr<Job>> Committer::collect()
{
    std::uint64_t count = 0;
    [[maybe_unused]] ssize_t got = ::read(event_.get(), &count, sizeof count);
    std::lock_guard lock(mutex_);
    return std::exchange(finished_, {});
}

void Committer::wait()
{
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return queue_.empty() && !busy_; });
}

bool Committer::idle()
{
    std::lock_guard lock(mutex_);
    return queue_.empty() && !busy_;
}

// Jobs first..last-1 are appends to one file: all bytes, then one sync.
util::Result<void> Committer::append(std::vector<std::unique_ptr<Job>>& jobs, std::size_t first,
                                     std::size_t last)
{
    for (std::size_t i = first; i < last; ++i) {
        for (const auto& file : jobs[i]->sync_first)
            TRY(util::sys::fsync(file.get()));
        for (int directory : jobs[i]->sync_directories)
            TRY(util::sys::fsync(directory));
    }
    for (std::size_t i = first; i < last; ++i)
        TRY(util::sys::pwrite_all(jobs[i]->fd, jobs[i]->bytes, jobs[i]->offset));
    return util::sys::fdatasync(jobs[first]->fd);
}

void Committer::run()
{
    bool failed = false;
    std::vector<std::unique_ptr<Job>> jobs;
    while (true) {
        {
            std::unique_lock lock(mutex_);
            busy_ = false;
            if (queue_.empty())
                idle_.notify_all();
            work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
            if (queue_.empty())
                return;
            busy_ = true;
            jobs.assign(std::make_move_iterator(queue_.begin()),
                        std::make_move_iterator(queue_.end()));
            queue_.clear();
        }
        for (std::size_t first = 0; first < jobs.size();) {
            std::size_t last = first + 1;
            if (failed) {
                jobs[first]->result = util::temporary("the disk failed before");
            } else if (jobs[first]->task) {
                jobs[first]->result = jobs[first]->task();
            } else {
                while (last < jobs.size() && !jobs[last]->task && jobs[last]->fd == jobs[first]->fd)
                    ++last;
                auto result = append(jobs, first, last);
                failed = !result.ok();
                for (std::size_t i = first; i < last; ++i)
                    jobs[i]->result = result;
            }
            {
                std::lock_guard lock(mutex_);
                for (std::size_t i = first; i < last; ++i)
                    finished_.push_back(std::move(jobs[i]));
            }
            std::uint64_t one = 1;
            [[maybe_unused]] ssize_t wrote = ::write(event_.get(), &one, sizeof one);
            first = last;
        }
        jobs.clear();
    }
}

}  // namespace store
