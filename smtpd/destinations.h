// Destinations: which mail is ours, and which of our recipients exist.
#pragma once

#include "libmail/address.h"
#include "libutil/result.h"

#include <cstdint>
#include <string>

namespace smtpd {

class Destinations {
public:
    enum class Kind : std::uint8_t {
        Elsewhere,  // not a domain of ours: relaying
        Listed,     // ours, and there is such a recipient
        Unlisted,   // ours, and there is none
    };
    struct Answer {
        Kind kind = Kind::Elsewhere;
        std::string reason;   // of Unlisted: "User unknown in virtual mailbox table"
        bool local = false;   // a domain of $mydestination: which reject code it has
    };

    virtual ~Destinations() = default;

    // Temporary when a table cannot be read.
    virtual util::Result<Answer> find(const mail::Address& address) = 0;
};

}  // namespace smtpd
