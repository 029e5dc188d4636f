// A server to be tried, and how the log and notifications call it.
#pragma once

#include "libutil/text.h"

#include <cstdint>
#include <string>

namespace smtp {

struct Host {
    std::string name;             // of the MX, or as the destination says
    std::string address;          // "192.0.2.1"; the path of a Unix socket
    std::uint16_t port = 0;
    bool is_path = false;
    unsigned preference = 0;      // of the MX
    bool mx = false;              // found by an MX record
    bool by_srv = false;          // found by an SRV record
    bool mx_asked = false;        // MX or SRV records were looked up, whether there are any or not
    bool mx_secure = false;       // the answer to that, by DNSSEC
    std::string mx_canonical;     // the domain behind CNAMEs
    bool address_secure = false;  // the address records
    std::string canonical;        // the name behind CNAMEs, if another
    bool canonical_secure = false;

    // "mx.example.org[192.0.2.1]"
    std::string label() const { return util::concat(name, '[', address, ']'); }
    // "mx.example.org[192.0.2.1]:25": relay= in the log.
    std::string relay() const { return is_path ? label() : util::concat(label(), ':', port); }

    bool same_server(const Host& other) const
    {
        return address == other.address && port == other.port && is_path == other.is_path;
    }
};

}  // namespace smtp
