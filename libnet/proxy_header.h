// The PROXY protocol, versions 1 and 2: what a load balancer says before the bytes of a client.
//
// The protocol is HAProxy's (proxy-protocol.txt).  ProxyHeaderParser takes bytes in pieces of any size
// and never one that belongs to what follows the header: that may be a TLS handshake.
#pragma once

#include "libnet/endpoint.h"
#include "libutil/result.h"
#include "libutil/time.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace net {

// The longest header, with the extensions (TLVs) that follow the addresses of version 2.
constexpr std::size_t max_proxy_header = 4096;

struct ProxyHeader {
    // Both or neither.  Neither: the connection is the proxy's own (LOCAL, as for health checks), or
    // it knows no Internet address of the client (UNKNOWN, UNSPEC, Unix sockets).
    std::optional<Endpoint> client;
    std::optional<Endpoint> server;  // the address that the client connected to

    bool operator==(const ProxyHeader&) const = default;
};

class ProxyHeaderParser {
public:
    // How many bytes of `input` belong to the header: all, unless it is done() with them.  Invalid as
    // soon as what came can be no header.
    util::Result<std::size_t> take(std::string_view input);
    bool done() const { return done_; }
    const ProxyHeader& header() const { return header_; }

private:
    // The size of the header that bytes_ begins, as far as it is known: version 2 tells it in byte 16.
    util::Result<std::size_t> wanted() const;
    util::Result<void> parse_text();
    util::Result<void> parse_binary();

    std::string bytes_;
    ProxyHeader header_;
    bool done_ = false;
};

// Takes what the socket has of a header, without waiting.  False: more must come.  What follows the
// header stays in the socket.  Temporary when the peer closed, with closed_code.
util::Result<bool> read_proxy_header(int socket, ProxyHeaderParser& parser);
// The same for who waits: the whole header, or Temporary (timeout_code, closed_code; interrupted_code
// when a signal came and `wants_stop` says yes).
util::Result<ProxyHeader> wait_for_proxy_header(int socket, util::Deadline deadline,
                                                const std::function<bool()>& wants_stop);

}  // namespace net
