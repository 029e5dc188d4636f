// Runs one command and waits for its end.
#pragma once

#include "libipc/delivery.h"
#include "pipe/service.h"

namespace piping {

// What became of the message, for all recipients alike.  When `stopping` begins to say true the command has
// `stop_time` left; it is killed then, and the message deferred.
ipc::DeliveryStatus run_command(const Service& service, const ipc::Job& job, bool (*stopping)(), util::Duration stop_time);

}  // namespace piping
