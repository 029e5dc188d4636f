// ternsuper -r: a message goes through cleanup(8) once more, so that tables of today are asked about it.
#pragma once

#include "libipc/submitter.h"
#include "libqueue/reader.h"
#include "tools/common/queue_access.h"

namespace ternsuper {

class Requeuer {
public:
    // Invalid without the daemons.
    static util::Result<Requeuer> open(const conf::Common& common, tools::QueueAccess& queue);

    // Answers the new queue id.  The message is held, copied, and removed when cleanup has taken the copy; if
    // that fails it is where it was before.  A crash leaves it on hold, at worst beside its copy.
    util::Result<std::string> requeue(const std::string& id, ipc::QueueSet queues);

private:
    Requeuer(const conf::Common& common, tools::QueueAccess& queue, queue::Directory directory);
    util::Result<util::UniqueFd> wait_until_held(const std::string& id);
    util::Result<std::string> submit(const std::string& id);

    const conf::Common& common_;
    tools::QueueAccess& queue_;
    queue::Directory directory_;
    ipc::Submitter cleanup_;
};

}  // namespace ternsuper
