// tern(1) -> anvil(8): failed log-ins that shall count no more.  root may ask; where one uid runs all, that one.
#pragma once

#include "libipc/anvil.h"

namespace ipc {

struct ForgetFailures {
    static constexpr std::string_view message_name = "forget-failures";
    std::string network;        // "192.0.2.1", "2001:db8::/32": all networks that have a part in it
    std::string account;        // in lower case
    bool all = false;           // of all networks and accounts

    static void fields(auto& message, auto& visit)
    {
        visit("network", message.network);
        visit("account", message.account);
        visit("all", message.all);
    }
};

struct FailuresForgotten {
    static constexpr std::string_view message_name = "failures-forgotten";
    std::uint64_t count = 0;    // of networks and accounts

    static void fields(auto& message, auto& visit) { visit("count", message.count); }
};

}  // namespace ipc
