// Usher: sessions that are over while their connections go on (RFC 8437), and go back to their doors.
//
// Who the client is says the door, by what it said when the session began; which connection it is says the kernel.  So a
// mailbox process, whatever it may be by now, gives back the connection of a session that it has, once, or nothing.
#include "libutil/log.h"
#include "libutil/sys.h"
#include "usher/usher.h"

#include <sys/socket.h>

namespace usher {

void Usher::take_back(const std::string& account, ipc::Channel& control, ipc::Packet& packet)
{
    auto order = packet.cut ? ipc::decode_cut<ipc::ReturnSession>(packet) : ipc::decode<ipc::ReturnSession>(packet);
    if (!order.ok())
        return control.fail(order.take_error());
    if (order->pending.size() > ipc::max_returned_bytes || order->farewell.size() > ipc::max_returned_farewell)
        return control.fail(util::invalid("a session that comes back with too many bytes"));
    const Visitors::Visitor* visitor = visitors_.find(account, order->session);
    if (!visitor || visitor->parked)
        return util::log::verbose(util::printable(order->session, 64), ": ended already, and its connection is closed");
    if (visitor->door == 0 || !visitor->facts.returnable)
        return control.fail(util::invalid("a session comes back that cannot"));
    if (packet.cut)
        util::log::warning(util::printable(order->session, 64), ": a connection cannot go on: ", ipc::cut_error().text);
    else if (visitor->cookie == 0 || util::sys::socket_cookie(order->client.get()).value_or(0) != visitor->cookie)
        return control.fail(util::invalid("a session comes back with another connection than its own"));
    ipc::SessionReturned returned;
    returned.facts = visitor->facts;
    returned.client = std::move(order->client);
    returned.pending = std::move(order->pending);
    ipc::Channel* door = channel_of(visitor->door);
    visitors_.ended(account, order->session);
    if (door)
        door->send(returned);
    if (door && door->is_open())
        return;
    // A door ends with its connections over TLS, but not with those that it has given away.
    if (!returned.facts.tls && returned.client.valid())
        (void)::send(returned.client.get(), order->farewell.data(), order->farewell.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    util::sys::close_at_once(returned.client);
}

}  // namespace usher
