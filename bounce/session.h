// One connection of qmgr(8): orders to notify, one after the other, each answered by an Outcome.
#pragma once

#include "bounce/notification.h"
#include "libipc/connection.h"
#include "libipc/submitter.h"

namespace bounce {

class Session {
public:
    // The Submitter and its connection to cleanup(8) outlive the session.
    Session(ipc::Connection connection, ipc::Submitter& submitter, const Identity& identity)
        : connection_(std::move(connection)), submitter_(submitter), identity_(identity)
    {
    }

    // Until qmgr closes, or `stop` says true between orders.  Invalid when qmgr sent garbage.
    util::Result<void> run(bool (*stop)());

private:
    ipc::Outcome notify(const ipc::Notify& order);
    util::Result<ipc::Verdict> submit(const ipc::Notify& order, std::string& new_queue_id);

    ipc::Connection connection_;
    ipc::Submitter& submitter_;
    const Identity& identity_;
};

}  // namespace bounce
