// The process of one delivery: it becomes the user, reads the message, and then becomes the command.
#pragma once

#include "libipc/delivery.h"
#include "pipe/service.h"

namespace piping {

// What a process says that does not become a command, or cannot.
struct Settled {
    static constexpr std::string_view message_name = "settled";
    ipc::DeliveryStatus status;

    static void fields(auto& message, auto& visit) { visit("status", message.status); }
};

// In a new process, with root's rights still.  Never returns.  `result`: a socket for Settled; `output`: where what
// the command prints goes.
[[noreturn]] void become_command(const Service& service, const ipc::Job& job, int result, int output);

}  // namespace piping
