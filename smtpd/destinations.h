// Destinations: which mail is ours, and which of our recipients exist.
#pragma once

#include "libconf/network.h"
#include "libmail/address.h"
#include "libutil/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace smtpd {

class Destinations {
public:
    // What a domain is: of $mydestination, virtual_alias_domains, virtual_mailbox_domains, relay_domains, or of others.
    enum class Kind : std::uint8_t { Local, Alias, Mailbox, Relay, Other };
    struct Answer {
        Kind kind = Kind::Other;
        bool ours = false;    // a domain that comes to us; else it is relaying
        bool final = false;   // a domain whose mail ends here: neither relaying nor relay_domains
        bool srs = false;     // an SRS address of ours: for notifications only
        bool listed = true;   // no table says that there is no such recipient
        std::string dsn;      // when not listed: "5.1.1"
        std::string reason;   // and "User unknown in virtual mailbox table"
    };

    virtual ~Destinations() = default;

    // The standard form of an address.
    virtual mail::Address complete(mail::Address address) = 0;
    // Is it an address of this machine?
    virtual bool is_own(const conf::IpAddress& address) = 0;
    // Is it that, or one at which this machine is reached by a proxy?
    virtual bool is_reached_at(const conf::IpAddress& address) = 0;
    // Is it one of $mydestination?  Temporary when a table cannot be read.
    virtual util::Result<bool> is_local(std::string_view domain) = 0;
    // The names that an account would have to whom alone mail for the address goes, in the order in which they
    // count; none: it goes to several, or elsewhere.  Temporary when a table cannot be read.
    virtual util::Result<std::vector<std::string>> account_names(const mail::Address&) { return std::vector<std::string>(); }
    // Temporary when a table cannot be read.
    virtual util::Result<Answer> find(const mail::Address& address) = 0;
};

}  // namespace smtpd
