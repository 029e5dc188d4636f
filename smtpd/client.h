// What is known of the client of a session.
#pragma once

#include "libmail/address.h"
#include "libutil/text.h"

#include <string>

namespace smtpd {

struct Client {
    std::string name = "unknown";  // "unknown" if there is no name that holds
    std::string address;           // "192.0.2.1", "2001:db8::1"
    std::uint16_t port = 0;

    // "name[address]", as in every log line.
    std::string log_name() const { return util::concat(name, '[', address, ']'); }
};

}  // namespace smtpd
