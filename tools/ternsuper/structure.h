// ternsuper -s and -p: what lies in the queue's directories is looked at file by file.
#pragma once

#include "libipc/queue_control.h"
#include "libqueue/directory.h"

#include <functional>
#include <string>

namespace ternsuper {

struct StructureReport {
    std::uint64_t checked = 0;     // whole messages
    std::uint64_t busy = 0;        // in the hands of a daemon, which has looked at them
    std::uint64_t damaged = 0;     // moved to the corrupt queue
    std::uint64_t strange = 0;     // neither message nor litter: left where they are
    std::uint64_t unreadable = 0;  // read errors
    std::uint64_t purged = 0;
};

class Structure {
public:
    // Files of cleanup(8) that never became a message and are as old as this belong to nobody, seconds.
    static constexpr std::int64_t litter_age = 24 * 3600;

    // `say` hears of each file that is no whole message.
    Structure(const queue::Directory& directory, ipc::QueueSet queues, std::function<void(std::string_view)> say)
        : directory_(directory), queues_(queues), say_(std::move(say))
    {
    }

    // Every message is read whole; one that is damaged goes to the corrupt queue, as qmgr(8) would do with it.
    util::Result<void> check();
    // Removes litter.
    util::Result<void> purge();
    const StructureReport& report() const { return report_; }

private:
    void check_file(queue::Place place, const std::string& name);

    const queue::Directory& directory_;
    ipc::QueueSet queues_;
    std::function<void(std::string_view)> say_;
    StructureReport report_;
};

}  // namespace ternsuper
