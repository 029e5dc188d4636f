// What local(8) says of deliveries.
#pragma once

#include "libipc/delivery.h"

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

// The address of "rfc822;address", as far as it differs from the recipient's own.
inline std::string_view original_address(const ipc::Recipient& recipient)
{
    auto [type, address] = util::split_first(recipient.original, ';');
    bool is_address = util::equal_nocase(type, "rfc822") || util::equal_nocase(type, "utf-8");
    return is_address && address != recipient.address ? address : std::string_view();
}

}  // namespace local
