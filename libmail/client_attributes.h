// XCLIENT and XFORWARD: what a trusted client says about the client that it speaks for.
//
// Postfix's XCLIENT_README and XFORWARD_README: a list of NAME=VALUE, each value in xtext
// (RFC 3461 §4); [UNAVAILABLE] and [TEMPUNAVAIL] stand for what is not known.
#pragma once

#include "libutil/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mail {

enum class ClientCommand : std::uint8_t { Xclient, Xforward };

// What one attribute said.
struct ClientAttribute {
    enum class Kind : std::uint8_t { Known, Unavailable, Temporary };
    Kind kind = Kind::Known;
    std::string text;  // printable ASCII; empty unless Known

    bool operator==(const ClientAttribute&) const = default;
};

struct ClientAttributes {
    static constexpr std::size_t max_value = 255;  // bytes, decoded

    std::optional<ClientAttribute> name;          // a host name
    std::optional<ClientAttribute> reverse_name;  // one that did not prove right
    std::optional<ClientAttribute> address;       // "192.0.2.1", "2001:db8::1"
    std::optional<ClientAttribute> port;          // 1..65535
    std::optional<ClientAttribute> protocol;      // "SMTP", "ESMTP"; behind XFORWARD any name of up to 64 bytes
    std::optional<ClientAttribute> helo;
    std::optional<ClientAttribute> login;
    std::optional<ClientAttribute> destination_address;
    std::optional<ClientAttribute> destination_port;
    std::optional<ClientAttribute> ident;         // the queue id of an earlier system
    std::optional<ClientAttribute> source;        // "LOCAL", "REMOTE"

    // Attributes that are there take the place of one's own.
    void merge(ClientAttributes later);
    bool operator==(const ClientAttributes&) const = default;
};

// The names that the command takes, as EHLO tells them.
std::string client_attribute_names(ClientCommand command);

// The argument of the command.  Invalid: the text for 501 5.5.4.
util::Result<ClientAttributes> parse_client_attributes(ClientCommand command, std::string_view argument);

}  // namespace mail
