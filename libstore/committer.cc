// The helper thread (see committer.h).
#include "libstore/committer.h"

#include "libutil/sys.h"

#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <iterator>

namespace store {

namespace {

constexpr std::array<char, max_zeros> zeros{};

}  // namespace

util::Result<std::unique_ptr<Committer>> Committer::start()
{
    util::UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!event)
        return util::system_error("eventfd", errno);
    return std::make_unique<Committer>(std::move(event));
}

Committer::Committer(util::UniqueFd event) : event_(std::move(event)) {}

Committer::~Committer()
{
    if (!thread_.joinable())
        return;
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    work_.notify_one();
    thread_.join();
}

bool Committer::submit(std::unique_ptr<Job> job, bool waits)
{
    if (!job->task && may_do_here(waits, job->bytes.size()))
        return do_here(std::move(job));
    if (!thread_.joinable())
        thread_ = std::thread([this] { run(); });
    {
        std::lock_guard lock(mutex_);
        queue_.push_back(std::move(job));
    }
    work_.notify_one();
    return false;
}

// What the thread has in hand, or has done and nobody has collected, comes first.
bool Committer::may_do_here(bool waits, std::size_t size)
{
    bool here = here_ && size <= max_written_here;
    if (!thread_.joinable())
        return waits || here || (size <= max_written_here && !std::exchange(one_done_, true));
    if (!waits && !here)
        return false;
    std::lock_guard lock(mutex_);
    return queue_.empty() && !busy_ && finished_.empty();
}

// There is no thread, or it sleeps.
bool Committer::do_here(std::unique_ptr<Job> job)
{
    std::vector<std::unique_ptr<Job>> jobs;
    jobs.push_back(std::move(job));
    jobs[0]->result = failed_ ? util::temporary("the disk failed before") : append(jobs, 0, 1);
    failed_ = !jobs[0]->result.ok();
    {
        std::lock_guard lock(mutex_);
        finished_.push_back(std::move(jobs[0]));
    }
    if (failed_)
        tell();
    return !failed_;
}

void Committer::tell()
{
    std::uint64_t one = 1;
    [[maybe_unused]] ssize_t wrote = ::write(event_.get(), &one, sizeof one);
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
    for (std::size_t i = first; i < last; ++i) {
        const Job& job = *jobs[i];
        TRY(util::sys::pwrite_all(job.fd, job.bytes, job.offset));
        // Where there is no room for them, the next append will say so.
        if (job.zeros > 0)
            (void)util::sys::pwrite_all(job.fd, {zeros.data(), job.zeros}, job.offset + job.bytes.size());
    }
    return util::sys::fdatasync(jobs[first]->fd);
}

void Committer::run()
{
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
            if (failed_) {
                jobs[first]->result = util::temporary("the disk failed before");
            } else if (jobs[first]->task) {
                jobs[first]->result = jobs[first]->task();
            } else {
                while (last < jobs.size() && !jobs[last]->task && jobs[last]->fd == jobs[first]->fd)
                    ++last;
                auto result = append(jobs, first, last);
                failed_ = !result.ok();
                for (std::size_t i = first; i < last; ++i)
                    jobs[i]->result = result;
            }
            {
                std::lock_guard lock(mutex_);
                for (std::size_t i = first; i < last; ++i)
                    finished_.push_back(std::move(jobs[i]));
            }
            tell();
            first = last;
        }
        jobs.clear();
    }
}

}  // namespace store
