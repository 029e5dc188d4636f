// The helper thread of a store: it appends, syncs and does what else waits for the disk, in the
// order in which it is handed over.
//
// Appends that wait together share one fdatasync.  After a failed append or sync nothing more is
// written: the kernel may have dropped the pages, so the state of the disk is unknown.
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

struct Job {
    // An append: `bytes` at `offset` of `fd`, then a sync.  The files in `sync_first` are synced
    // before, and then the directories.
    int fd = -1;
    std::uint32_t segment = 0;
    std::uint64_t offset = 0;
    std::string bytes;
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

class Committer {
public:
    static util::Result<std::unique_ptr<Committer>> start();
    explicit Committer(util::UniqueFd event);
    ~Committer();  // finishes what was handed over
    Committer(const Committer&) = delete;
    Committer& operator=(const Committer&) = delete;

    void submit(std::unique_ptr<Job> job);
    // Readable when something is finished.
    int event_fd() const { return event_.get(); }
    // What is finished since the last call, in order.
    std::vector<std::unique_ptr<Job>> collect();
    // Until all that was submitted is finished.
    void wait();
    bool idle();

private:
    void run();
    static util::Result<void> append(std::vector<std::unique_ptr<Job>>& jobs, std::size_t first,
                                     std::size_t last);

    util::UniqueFd event_;
    std::mutex mutex_;
    std::condition_variable work_;
    std::condition_variable idle_;
    std::deque<std::unique_ptr<Job>> queue_;     // under mutex_, as all below
    std::vector<std::unique_ptr<Job>> finished_;
    bool busy_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace store
