// Tickets: who has one may open a session of an account, once, within seconds, through the door and
// for the service it was made for.  Knows no clock.
#pragma once

#include "libipc/mailbox.h"
#include "libutil/time.h"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <unordered_map>

namespace auth {

// What a ticket is good for, as long as the account is as it was (Accounts::leave()).
struct Grant {
    std::string account;
    std::string app = {};              // the app password it was opened with; empty: the main password
    std::string stamp = {};
    std::string client_address = {};
};

class Tickets {
public:
    // At most this many are out at a time; then the oldest is void.
    static constexpr std::size_t limit = 100'000;

    explicit Tickets(util::Duration lifetime) : lifetime_(lifetime) {}

    // For tickets made from now on.
    void set_lifetime(util::Duration lifetime) { lifetime_ = lifetime; }

    // 128 random bits in hexadecimal.
    std::string mint(Grant grant, ipc::Service service, uid_t door, util::Instant now);
    // Nothing when there is no such ticket, or not for this service and door.  A ticket
    // that was shown is void, whoever showed it.
    std::optional<Grant> redeem(std::string_view ticket, ipc::Service service, uid_t door, util::Instant now);
    std::size_t size() const { return tickets_.size(); }

private:
    struct Ticket {
        Grant grant;
        ipc::Service service;
        uid_t door;
        util::Instant until;
    };
    void expire(util::Instant now);

    util::Duration lifetime_;
    std::unordered_map<std::string, Ticket> tickets_;
    std::deque<std::pair<util::Instant, std::string>> order_;  // by their ends; some are gone already
};

}  // namespace auth
