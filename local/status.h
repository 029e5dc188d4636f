// What local(8) says of deliveries.
#pragma once

#include "libipc/delivery_log.h"

namespace local {

constexpr std::string_view relay = "local";

inline ipc::DeliveryStatus status_of(ipc::Disposition disposition, std::string_view dsn, std::string text)
{
    ipc::DeliveryStatus status;
    status.disposition = disposition;
    status.dsn = dsn;
    status.text = std::move(text);
    status.relay = relay;
    return status;
}

using ipc::original_address;

}  // namespace local
