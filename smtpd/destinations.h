// Destinations: which mail is ours, and which of our recipients exist.
#pragma once

#include "libconf/network.h"
#include "libmail/address.h"
#include "libutil/result.h"

#include <string>

namespace smtpd {

class Destinations {
public:
    struct Answer {
        bool ours = false;    // a domain that comes to us; else it is relaying
        bool local = false;   // one of $mydestination
        bool listed = true;   // no table says that there is no such recipient
        std::string dsn;      // when not listed: "5.1.1"
        std::string reason;   // and "User unknown in virtual mailbox table"
    };

    virtual ~Destinations() = default;

    // The standard form of an address.
    virtual mail::Address complete(mail::Address address) = 0;
    // Is it an address of this machine?
    virtual bool is_own(const conf::IpAddress& address) = 0;
    // Temporary when a table cannot be read.
    virtual util::Result<Answer> find(const mail::Address& address) = 0;
};

}  // namespace smtpd
