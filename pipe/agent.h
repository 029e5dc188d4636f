// Agent: one connection of qmgr(8): jobs, one after the other, each answered for all its recipients.
#pragma once

#include "libipc/orders.h"
#include "libipc/status_filter.h"
#include "pipe/service.h"

#include <functional>
#include <optional>

namespace piping {

class Agent {
public:
    // `run` delivers a job; its status is that of all recipients.
    using Run = std::function<ipc::DeliveryStatus(const ipc::Job& job)>;
    // `began` is called at the beginning of each job; `filter` changes outcomes (null: they stay).
    Agent(ipc::Connection connection, const Service& service, Run run, std::function<void()> began,
          ipc::StatusFilter* filter = nullptr)
        : connection_(std::move(connection)), service_(service), run_(std::move(run)), began_(std::move(began)), filter_(filter)
    {
    }

    // Until qmgr closes, or `stop` says true between jobs.  Invalid when qmgr sent garbage.
    util::Result<void> serve(bool (*stop)());

private:
    util::Result<void> deliver(const ipc::Job& job);
    util::Result<void> put_off(const ipc::Job& job);
    util::Result<void> report(const ipc::Job& job, ipc::DeliveryStatus status, util::WallTime received, util::Instant began);
    std::optional<ipc::DeliveryStatus> refusal(const ipc::Job& job) const;

    ipc::Connection connection_;
    const Service& service_;
    Run run_;
    std::function<void()> began_;
    ipc::StatusFilter* filter_;
};

}  // namespace piping
