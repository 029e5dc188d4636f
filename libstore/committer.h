// The helper thread of a store: it appends, syncs and does what else waits for the disk, in the
// order in which it is handed over.
//
// Appends that wait together share one fdatasync.  After a failed append or sync nothing more is
// written: the kernel may have dropped the pages, so the state of the disk is unknown.
//
// The thread has what there is to gain by it.  What the caller waits for anyway he does himself, and so he does each
// append while nobody but him is kept by it (write_here()): handing one over and back takes two more wake-ups.  Nor does
// the thread begin for the first append of others: most processes of a burst of mail have no other, and a thread was a
// seventh of what they cost.
#pragma once

#include "libstore/types.h"
#include "libutil/result.h"
#include "libutil/unique_fd.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace store {

constexpr std::size_t max_zeros = 64U << 10;

struct Job {
    // An append: `bytes` at `offset` of `fd`, then a sync.  The files in `sync_first` are synced
    // before, and then the directories.
    int fd = -1;
    std::uint32_t segment = 0;
    std::uint64_t offset = 0;
    std::string bytes;
    std::size_t zeros = 0;   // so many behind the bytes, at most max_zeros, for appends to come
    Lsn lsn = 0;      // durable when this is done
    Lsn ceiling = 0;  // reserved when this is done; 0 = as before
    std::vector<util::UniqueFd> sync_first;
    std::vector<int> sync_directories;   // open already: for want of a descriptor no sync may fail
    // Anything else (snapshot, manifest, compaction): runs in the helper thread and must touch
    // only what it owns.  Its failure concerns only itself.
    std::function<util::Result<void>()> task;
    // Called from collect() in the owner's thread, after a task.
    std::function<void(util::Result<void>)> done;

    util::Result<void> result;
};

// More is the thread's work, even if nobody else is kept by it yet.
constexpr std::size_t max_written_here = 1U << 20;

class Committer {
public:
    static util::Result<std::unique_ptr<Committer>> start();
    explicit Committer(util::UniqueFd event);
    ~Committer();  // finishes what was handed over
    Committer(const Committer&) = delete;
    Committer& operator=(const Committer&) = delete;

    // `waits`: wait() comes next.  True: it is done already, and well.
    bool submit(std::unique_ptr<Job> job, bool waits = false);
    // From now on, appends are the caller's own work where nothing else is in hand.
    void write_here(bool here) { here_ = here; }
    // Readable when something is finished.
    int event_fd() const { return event_.get(); }
    // What is finished since the last call, in order.
    std::vector<std::unique_ptr<Job>> collect();
    // Until all that was submitted is finished.
    void wait();
    bool idle();

private:
    bool may_do_here(bool waits, std::size_t size);
    bool do_here(std::unique_ptr<Job> job);
    void tell();
    void run();
    static util::Result<void> append(std::vector<std::unique_ptr<Job>>& jobs, std::size_t first,
                                     std::size_t last);

    util::UniqueFd event_;
    std::mutex mutex_;
    std::condition_variable work_;
    std::condition_variable idle_;
    // Under mutex_.
    std::deque<std::unique_ptr<Job>> queue_;
    std::vector<std::unique_ptr<Job>> finished_;
    bool busy_ = false;
    bool stopping_ = false;
    // Of whoever does the work: the thread, or, while that has nothing in hand (may_do_here()), the caller.
    bool failed_ = false;
    // The caller's.
    bool here_ = false;
    bool one_done_ = false;      // an append that nobody waited for, before there was a thread
    std::thread thread_;
};

}  // namespace store
