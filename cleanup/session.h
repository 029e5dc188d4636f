// Session: one client's connection, many messages; see libipc/submission.h.
#pragma once

#include "cleanup/manager_link.h"
#include "cleanup/transaction.h"
#include "libqueue/queue_id.h"

#include <functional>

namespace cleanup {

class Session {
public:
    Session(ipc::Connection client, Transaction& transaction, ManagerLink& manager, queue::IdSource& ids)
        : client_(std::move(client)), transaction_(transaction), manager_(manager), ids_(ids)
    {
    }

    // Until the client closes (no error), or breaks the protocol.  `begins`: called for each message.
    util::Result<void> run(const std::function<void()>& begins);

private:
    util::Result<void> greet();
    // The records of one message; a failure is an early verdict.
    util::Result<std::optional<Failure>> receive(ipc::Begin& begin);
    util::Result<void> drain();
    ipc::Verdict commit(bool& client_gone);
    ipc::Verdict keep();

    ipc::Connection client_;
    Transaction& transaction_;
    ManagerLink& manager_;
    queue::IdSource& ids_;
    std::string id_;
    bool last_ = false;   // the client has sent its last record
};

}  // namespace cleanup
