// Orders to deliver become messages of the store.  No I/O but the store's, no waiting.
#pragma once

#include "libipc/mailbox.h"
#include "libstore/store.h"

#include <variant>

namespace mailbox {

// What delivery asks of rendering: ENVELOPE, BODYSTRUCTURE and the rest, made once.
using Renderer = store::Rendered (*)(std::string_view message);

// The trace fields that local adds; more is refused.
constexpr std::size_t max_prefix_size = 16U << 10;

class Deliveries {
public:
    using Answer = std::variant<ipc::DeliveryStored, ipc::DeliveryRefused>;

    // `message_size_limit`: larger messages are refused with 5.2.3; 0 = only the store's own limit.
    Deliveries(store::Store& store, Renderer render, std::uint64_t message_size_limit);

    // Stores the message, in INBOX when its folder does not exist.  Stored says nothing of a power
    // cut: that is durable when the store's durable() has reached the answer's lsn.
    Answer deliver(const ipc::Deliver& order);
    // What an order is told that could not be carried out.
    static ipc::DeliveryRefused refusal(std::uint64_t delivery, const util::Error& error);

private:
    util::Result<std::string> assemble(const ipc::Deliver& order) const;

    store::Store& store_;
    Renderer render_;
    std::uint64_t message_size_limit_;
};

}  // namespace mailbox
