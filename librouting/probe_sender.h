// The sender of probes for address verification, a part of which may change with the time, so that nobody can send
// mail for it for long.
#pragma once

#include "libmail/address.h"
#include "libutil/time.h"

#include <string>
#include <string_view>

namespace routing {

struct ProbeSender {
    std::string base;            // address_verify_sender, completed with $myorigin; empty: the null sender
    util::Duration lifetime{};   // 0: it does not change

    std::string at(util::WallTime now) const;
    // Is it the sender of now, or that of a lifetime before or after: of a probe that is under way, or by another clock?
    bool is_one(const mail::Address& address, util::WallTime now) const;
    // The same without the part that changes.
    bool is_base(const mail::Address& address) const;

    static ProbeSender of(std::string_view sender, std::string_view origin, util::Duration lifetime);
};

}  // namespace routing
