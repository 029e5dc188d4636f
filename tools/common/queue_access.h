// The mail queue as tools see it: by way of qmgr(8), or by its files while that does not run.
#pragma once

#include "libconf/common.h"
#include "libipc/connection.h"
#include "libipc/queue_control.h"
#include "libqueue/change.h"

#include <functional>
#include <optional>
#include <string>

namespace tools {

// Says something on standard error, with the program's name before it.
using Complain = std::function<void(std::string_view text)>;
using EachItem = std::function<void(const ipc::QueueItem&)>;

class QueueAccess {
public:
    // With a complaint when qmgr does not answer.  NotFound or Permanent: nor may the caller use the directories.
    static util::Result<QueueAccess> open(const conf::Common& common, const Complain& complain);

    bool alone() const { return !qmgr_.valid(); }

    // Messages in `queues`, each in one or more items; with `ids`, those of them.  Files that cannot be read are
    // complained of.
    util::Result<void> list(ipc::QueueSet queues, const EachItem& each, const Complain& complain,
                            const std::vector<std::string>& ids = {});
    // How many messages were changed; one that was named and is not there is an error.
    util::Result<std::uint64_t> change(const ipc::QueueChange& order);
    // How many messages are tried; Temporary when there is no qmgr.
    util::Result<std::uint64_t> flush(const ipc::QueueFlush& order);

    // The exit status for an error of these.
    static int status_of(const util::Error& error);

private:
    util::Result<void> list_files(ipc::QueueSet queues, const EachItem& each, const Complain& complain,
                                  const std::vector<std::string>& ids) const;
    util::Result<void> ask(const ipc::QueueList& request, ipc::QueueSet queues, const EachItem& each);
    util::Result<std::uint64_t> end_of(ipc::Packet& packet) const;
    util::Result<std::uint64_t> change_all(const ipc::QueueChange& order);

    ipc::Connection qmgr_;
    std::optional<queue::Directory> directory_;
};

}  // namespace tools
