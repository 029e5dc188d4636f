// AnvilClient: the calling side of libipc/anvil.h.
#include "smtpd/client_counter.h"

#include "libutil/log.h"

#include <cerrno>

namespace smtpd {

util::Result<ipc::Counted> AnvilClient::ask(const ipc::CountEvent& event)
{
    bool fresh = !connection_.valid();
    if (fresh)
        connection_ = TRY(connect_(timeout));
    auto counted = connection_.call<ipc::Counted>(event);
    if (counted.ok())
        return counted;
    connection_.close();
    // The standing connection may have ended with an anvil process; after a time-out nothing is gained.
    bool closed = counted.error().code == ECONNRESET || counted.error().code == EPIPE;
    return fresh || !closed ? std::move(counted) : ask(event);
}

std::optional<ipc::Counted> AnvilClient::count(const ipc::CountEvent& event)
{
    if (util::now() < next_try_)
        return std::nullopt;
    auto counted = ask(event);
    if (counted.ok())
        return counted.take();
    util::log::warning("anvil: ", counted.error().text, "; clients are served without limits meanwhile");
    next_try_ = util::now() + (counted.error().kind == util::Kind::NotFound ? long_pause : pause);
    return std::nullopt;
}

void AnvilClient::disconnect()
{
    if (connection_.valid() && !connection_.send(ipc::Disconnect{}).ok())
        connection_.close();
}

}  // namespace smtpd
