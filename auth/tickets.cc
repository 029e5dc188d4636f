// Tickets.
#include "auth/tickets.h"

#include "libutil/random.h"
#include "libutil/text.h"

namespace auth {

void Tickets::expire(util::Instant now)
{
    while (!order_.empty() && (order_.front().first <= now || tickets_.size() >= limit)) {
        tickets_.erase(order_.front().second);
        order_.pop_front();
    }
}

std::string Tickets::mint(Grant grant, ipc::Service service, uid_t door, util::Instant now)
{
    expire(now);
    std::string ticket = util::hex(util::random_string(16));
    order_.emplace_back(now + lifetime_, ticket);
    tickets_.emplace(ticket, Ticket{std::move(grant), service, door, now + lifetime_});
    return ticket;
}

std::optional<Grant> Tickets::redeem(std::string_view ticket, ipc::Service service, uid_t door, util::Instant now)
{
    expire(now);
    auto found = tickets_.find(std::string(ticket));
    if (found == tickets_.end())
        return {};
    Ticket taken = std::move(found->second);
    tickets_.erase(found);
    if (taken.service != service || taken.door != door || taken.until <= now)
        return {};
    return std::move(taken.grant);
}

}  // namespace auth
