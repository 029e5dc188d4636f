// Orders of qmgr(8) to a worker: one after the other over one connection, each answered before the next.
#pragma once

#include "libipc/connection.h"
#include "libipc/delivery.h"

#include <cerrno>
#include <functional>

namespace ipc {

// Waits for an order; false when `stop` says true instead, which is asked now and then and after a signal.
bool wait_for_order(int fd, bool (*stop)());

template <typename Order>
struct OrderTaker {
    std::function<bool()> wait;                                    // false: it is time to stop
    std::function<void()> began;                                   // an order is here
    std::function<util::Result<void>(const Order& order)> carry_out;
    std::function<util::Result<void>(const Order& order)> put_off;  // it came without its message
};

// Greets qmgr, and takes orders until it closes or `wait` says false.  Invalid when it sent garbage; an error
// of the taker's is passed on.
template <typename Order>
util::Result<void> take_orders(Connection& qmgr, const AgentGreeting& greeting, const OrderTaker<Order>& taker)
{
    TRY(qmgr.send(greeting));
    while (taker.wait()) {
        auto packet = qmgr.receive();
        if (!packet.ok() && packet.error().code == ECONNRESET)
            return {};
        if (!packet.ok())
            return packet.take_error();
        taker.began();
        auto order = TRY(packet->cut ? decode_cut<Order>(*packet) : decode<Order>(*packet));
        TRY(packet->cut ? taker.put_off(order) : taker.carry_out(order));
    }
    return {};
}

}  // namespace ipc
