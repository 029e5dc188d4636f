// The log line of a recipient's fate, in Postfix's order.
#pragma once

#include "libipc/delivery.h"
#include "libutil/time.h"

#include <string>
#include <string_view>

namespace ipc {

// "sent", "deferred", "bounced"; of a question (Job::verify) "deliverable" or "undeliverable".
std::string_view name_of(Disposition disposition, bool verify);

// The address of ORCPT, as far as it differs from the recipient's own; else empty.
std::string_view original_address(const Recipient& recipient);

struct LoggedDelivery {
    std::string_view address;       // whom it was for in the end
    std::string_view original;      // empty: the same
    std::uint64_t uses = 1;            // how many messages the connection has carried, with this one
    util::WallTime received{};      // when the agent had the job
    util::Duration connection{};    // getting to where it goes
    util::Duration transmission{};
};

// "ID: to=<...>, orig_to=<...>, relay=..., conn_use=..., delay=..., delays=a/b/c/d, dsn=..., status=... (...)".
// The delays are: before the queue manager, in it, getting there, and the transmission.  conn_use= from the second use on.
std::string delivery_line(const Job& job, const LoggedDelivery& delivery, const DeliveryStatus& status);

}  // namespace ipc
