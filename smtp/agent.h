// Agent: one connection of qmgr(8): jobs, one after the other; and between them the connection that is kept.
#pragma once

#include "libipc/orders.h"
#include "smtp/delivery.h"

namespace smtp {

class Agent {
public:
    // `began` is called at the beginning of each job.
    Agent(ipc::Connection connection, Services& services, std::function<void()> began)
        : connection_(std::move(connection)), services_(services), began_(std::move(began))
    {
    }

    // Until qmgr closes, or `stop` says true between jobs.  Invalid when qmgr sent garbage.
    util::Result<void> run(bool (*stop)());

private:
    bool wait_for_job(bool (*stop)());
    util::Result<void> put_off(const ipc::Job& job);

    ipc::Connection connection_;
    Services& services_;
    std::function<void()> began_;
};

}  // namespace smtp
