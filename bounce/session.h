// One connection of qmgr(8): orders to notify, one after the other, each answered by an Outcome.
#pragma once

#include "bounce/notification.h"
#include "libipc/orders.h"
#include "libipc/submitter.h"

#include <functional>
#include <optional>

namespace bounce {

class Session {
public:
    // The Submitter and its connection to cleanup(8) outlive the session.  `began` is called at each order.
    Session(ipc::Connection connection, ipc::Submitter& submitter, const Site& site, std::function<void()> began)
        : connection_(std::move(connection)), submitter_(submitter), site_(site), began_(std::move(began))
    {
    }

    // Until qmgr closes, or `stop` says true between orders.  Invalid when qmgr sent garbage.
    util::Result<void> run(bool (*stop)());

private:
    ipc::Outcome notify(const ipc::Notify& order);
    std::optional<ipc::DeliveryStatus> write(const ipc::Notify& order, const Letter& letter, const Attachment& attached);
    util::Result<ipc::Verdict> submit(const ipc::Notify& order, const Letter& letter, const Attachment& attached,
                                      std::string& new_queue_id);

    ipc::Connection connection_;
    ipc::Submitter& submitter_;
    const Site& site_;
    std::function<void()> began_;
};

}  // namespace bounce
