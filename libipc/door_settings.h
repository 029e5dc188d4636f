// What a door was told by its parameters (door_config.h), as plain values.
#pragma once

#include "libutil/time.h"

#include <cstdint>
#include <string>

namespace ipc {

struct DoorSettings {
    bool wrappermode = false;            // TLS before the greeting
    bool allow_plaintext_login = false;  // without TLS, from loopback
    std::size_t client_limit = 1000;     // connections of this process
    std::size_t login_limit_per_client = 50;  // connections that are not logged in, of one network
    int ipv6_prefix = 64;                // bits of an IPv6 address that make its network
    std::size_t attempts = 5;            // failed log-ins, then the connection ends
    util::Duration login_timeout{60'000'000};
    bool upstream_proxy = false;         // connections begin with a PROXY header
    util::Duration upstream_proxy_timeout{5'000'000};
    std::string tls_protocols;
    std::string tls_ciphers;
};

}  // namespace ipc
