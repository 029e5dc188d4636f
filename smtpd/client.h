// What is known of the client of a session.
#pragma once

#include "libmail/address.h"
#include "libutil/text.h"

#include <string>

namespace smtpd {

// Why a client has a name or not.
enum class NameStatus : std::uint8_t {
    Ok,
    Temporary,  // name servers did not answer
    Permanent,  // it has none, or nobody asked
    Forged,     // its reverse name does not lead back to it
};

struct Client {
    std::string name = "unknown";  // "unknown" if there is no name that holds
    std::string address;           // "192.0.2.1", "2001:db8::1"
    std::uint16_t port = 0;
    std::string server_address = {};  // where it connected to
    std::uint16_t server_port = 0;
    bool log_port = false;            // smtpd_client_port_logging
    std::string reverse_name = "unknown";  // what its reverse record says, whether that holds or not
    NameStatus name_status = NameStatus::Permanent;
    NameStatus reverse_status = NameStatus::Permanent;

    // "name[address]", as in every log line, or "name[address]:port".
    std::string log_name() const
    {
        return util::concat(name, '[', address, ']', log_port ? util::concat(':', port) : "");
    }
};

}  // namespace smtpd
