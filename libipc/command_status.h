// What the end of a command means: sysexits.h, and "5.7.1 text" at the start of its output.
#pragma once

#include "libipc/delivery.h"

#include <string>
#include <string_view>

namespace ipc {

constexpr std::size_t max_command_output = 2000;   // bytes that are kept, for the log and the sender

// `wait_status` as waitpid(2) gives it.  Delivered with the text `success` for exit status 0;
// killed by a signal, EX_TEMPFAIL and an output that begins with "4." defer; all else bounces.
DeliveryStatus command_status(int wait_status, std::string_view command, std::string success, std::string_view output);
// Killed after command_time_limit.
DeliveryStatus command_timeout(std::string_view command, std::string_view output);

DeliveryStatus status_of(Disposition disposition, std::string_view dsn, std::string text);

}  // namespace ipc
