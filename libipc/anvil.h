// smtpd(8), auth(8) -> anvil(8): how often, and how often at once.
//
// anvil(8) counts and answers numbers; what is too much the asker decides.  A peer serves one client
// at a time: its Connect holds until Disconnect, its next Connect, or the end of its connection.
#pragma once

#include "libipc/wire.h"

namespace ipc {

// Bytes of a service, of a network, of an account; what is longer is refused by anvil(8).
constexpr std::size_t max_anvil_name = 512;

enum class AnvilEvent : std::uint8_t { Connection, Message, Recipient, NewTls, Auth, last_ = Auth };
constexpr std::size_t anvil_event_kinds = 5;

// One event of a client: of its network, of the account that is logged in, or of both.
struct CountEvent {
    static constexpr std::string_view message_name = "count";
    AnvilEvent event = AnvilEvent::Connection;
    std::string service;        // the name in master.cf
    std::string network;        // "192.0.2.1", "2001:db8::/84"; empty: not counted
    std::string account;        // empty: not counted.  Accounts are counted over all services.

    static void fields(auto& message, auto& visit)
    {
        visit("event", message.event);
        visit("service", message.service);
        visit("network", message.network);
        visit("account", message.account);
    }
};

struct Counted {
    static constexpr std::string_view message_name = "counted";
    std::uint64_t connections = 0;   // open now, with this one
    std::uint64_t rate = 0;          // of this event within anvil_rate_time_unit, with this one
    std::uint64_t account_rate = 0;

    static void fields(auto& message, auto& visit)
    {
        visit("connections", message.connections);
        visit("rate", message.rate);
        visit("account_rate", message.account_rate);
    }
};

// The client of the last Connection event is gone.  No answer.
struct Disconnect {
    static constexpr std::string_view message_name = "disconnect";
    static void fields(auto&, auto&) {}
};

// auth(8): somebody is about to try a password.
struct LoginAsked {
    static constexpr std::string_view message_name = "login-asked";
    std::uint64_t request = 0;
    std::string network;
    std::string account;        // as the client said it, in lower case

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("network", message.network);
        visit("account", message.account);
    }
};

struct LoginHistory {
    static constexpr std::string_view message_name = "login-history";
    std::uint64_t request = 0;
    std::uint64_t network_failures = 0;  // none for longer than anvil_failure_time: 0
    std::uint64_t account_failures = 0;  // from networks from which it has not logged in
    bool known = false;                  // the account has logged in from this network before

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("network_failures", message.network_failures);
        visit("account_failures", message.account_failures);
        visit("known", message.known);
    }
};

// How it went.  No answer.
struct LoginEnded {
    static constexpr std::string_view message_name = "login-ended";
    std::string network;
    std::string account;
    bool good = false;

    static void fields(auto& message, auto& visit)
    {
        visit("network", message.network);
        visit("account", message.account);
        visit("good", message.good);
    }
};

}  // namespace ipc
