// smtpd(8), imapd(8), pop3d(8) -> auth(8): SASL exchanges; usher(8) -> auth(8): tickets.
//
// A connection carries many exchanges at once, told apart by their number.  auth never delays an
// answer: it says how long the caller is to wait before telling the client of a failure.
#pragma once

#include "libipc/mailbox.h"

namespace ipc {

struct MechanismsWanted {
    static constexpr std::string_view message_name = "mechanisms-wanted";
    Service service = Service::Smtp;
    bool tls = false;
    bool channel_binding = false;   // the caller can give binding data

    static void fields(auto& message, auto& visit)
    {
        visit("service", message.service);
        visit("tls", message.tls);
        visit("channel_binding", message.channel_binding);
    }
};

struct Mechanisms {
    static constexpr std::string_view message_name = "mechanisms";
    std::vector<std::string> names;   // in order of preference; which are plaintext the caller knows

    static void fields(auto& message, auto& visit) { visit("name", message.names); }
};

struct Authenticate {
    static constexpr std::string_view message_name = "authenticate";
    std::uint64_t exchange = 0;
    Service service = Service::Smtp;
    std::string mechanism;
    std::optional<std::string> initial;   // decoded; absent if the client sent none
    std::string client_address;
    bool tls = false;
    std::string channel_binding_type;     // "tls-exporter", "tls-server-end-point", or empty
    std::string channel_binding;
    bool wants_ticket = false;

    static void fields(auto& message, auto& visit)
    {
        visit("exchange", message.exchange);
        visit("service", message.service);
        visit("mechanism", message.mechanism);
        visit("initial", message.initial);
        visit("client_address", message.client_address);
        visit("tls", message.tls);
        visit("channel_binding_type", message.channel_binding_type);
        visit("channel_binding", message.channel_binding);
        visit("wants_ticket", message.wants_ticket);
    }
};

struct AuthenticationResponse {
    static constexpr std::string_view message_name = "response";
    std::uint64_t exchange = 0;
    std::string response;
    bool cancelled = false;               // the client sent "*"

    static void fields(auto& message, auto& visit)
    {
        visit("exchange", message.exchange);
        visit("response", message.response);
        visit("cancelled", message.cancelled);
    }
};

struct AuthenticationResult {
    static constexpr std::string_view message_name = "result";
    enum class Kind : std::uint8_t {
        Challenge,    // `data` goes to the client, its response comes back
        Success,      // `data`, if not empty, is a last server message (SCRAM)
        Failed,       // wrong name or password, disabled, not permitted: one text for all
        Unavailable,  // try later
        Invalid,      // the client broke the mechanism's rules
        last_ = Invalid
    };
    std::uint64_t exchange = 0;
    Kind kind = Kind::Unavailable;
    std::string data;
    std::string account;                  // the account that is now in force
    std::string app_password;             // the name of the one that was given; empty: the main password
    std::string ticket;
    std::int64_t delay = 0;               // microseconds to wait before a failure is told
    bool not_authorized = false;          // Failed, but the credentials are right: for another identity
    std::string text;                     // reason, for the log only

    static void fields(auto& message, auto& visit)
    {
        visit("exchange", message.exchange);
        visit("kind", message.kind);
        visit("data", message.data);
        visit("account", message.account);
        visit("app_password", message.app_password);
        visit("ticket", message.ticket);
        visit("delay", message.delay);
        visit("not_authorized", message.not_authorized);
        visit("text", message.text);
    }
};

// usher -> auth.  A ticket is good once, for seconds, for the service and the door (its uid, as the
// kernel told usher) it was made for.
struct RedeemTicket {
    static constexpr std::string_view message_name = "redeem";
    std::uint64_t request = 0;
    std::string ticket;
    Service service = Service::Imap;
    std::uint32_t door_uid = 0;

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("ticket", message.ticket);
        visit("service", message.service);
        visit("door_uid", message.door_uid);
    }
};

struct TicketRedeemed {
    static constexpr std::string_view message_name = "redeemed";
    std::uint64_t request = 0;
    bool good = false;
    std::string account;
    std::string app_password = {};        // as in AuthenticationResult

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("good", message.good);
        visit("account", message.account);
        visit("app_password", message.app_password);
    }
};

}  // namespace ipc
