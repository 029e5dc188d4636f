// Lists of clients and domains that are asked for by DNS (RFC 5782), as restrictions name them: zen.example.org or
// zen.example.org=127.0.0.[2..11].
#pragma once

#include "libconf/network.h"
#include "libutil/result.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smtpd {

// d.d.d.d, where each d is a number or [number;number..number;...].
class AddressPattern {
public:
    static util::Result<AddressPattern> parse(std::string_view text);
    // Of an IPv4 address.
    bool matches(std::string_view address) const;

private:
    struct Range {
        std::uint8_t first;
        std::uint8_t last;
    };
    static util::Result<std::vector<Range>> parse_octet(std::string_view text);
    std::array<std::vector<Range>, 4> octets_;
};

struct DnsList {
    std::string text;    // as written
    std::string domain;  // without what must be found there
    std::optional<AddressPattern> wanted;  // nothing: any address

    // Invalid: the domain is none, or the pattern.
    static util::Result<DnsList> parse(std::string_view text);
    bool is_listing(const std::vector<std::string>& addresses) const;
    // "2.0.0.127.zen.example.org"; IPv6 by its nibbles (RFC 5782 §2.4).
    std::string name_for(const conf::IpAddress& client) const;
    // "example.net.dbl.example.org"
    std::string name_for(std::string_view domain) const;
};

// What a listed client, or domain, is told.
struct ListedFacts {
    int code = 554;
    std::string_view list_domain;
    std::string_view reason;  // the text of the list's TXT record; may be empty
    std::string_view what;    // "192.0.2.1", "example.net", "user@example.net"
    std::string_view class_name;  // "Client host"
    // The other macros of the session, by name: client_address and so on.
    std::vector<std::pair<std::string_view, std::string>> session;
};

struct ListedReply {
    int code = 0;
    std::string dsn;
    std::string text;
};
// Invalid: the template's macros, or it does not begin with a code of 4NN or 5NN.
util::Result<ListedReply> expand_listed(std::string_view reply_template, const ListedFacts& facts);

}  // namespace smtpd
