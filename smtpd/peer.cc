// The Client at the other end of a socket.
#include "smtpd/peer.h"

#include "libnet/endpoint.h"
#include "libnet/proxy_header.h"

namespace smtpd {

util::Result<Client> client_of(const server::Client& connection, const Config& config)
{
    constexpr std::string_view loopback = "127.0.0.1";
    net::Endpoint here = net::local_endpoint(connection.fd.get()).value_or(net::Endpoint{std::string(loopback), 0});
    net::Endpoint there = net::endpoint_of(connection.address, connection.address_size)
                              .value_or(net::Endpoint{std::string(loopback), 0});
    if (*config.upstream_proxy_protocol) {
        auto header = net::wait_for_proxy_header(connection.fd.get(), util::Deadline::in(*config.upstream_proxy_timeout),
                                                 server::Process::stop_requested);
        if (!header.ok())
            return header.take_error().in(util::concat("PROXY header from [", there.address, "]:", there.port));
        // Else the proxy speaks for itself.
        if (header->client) {
            there = *header->client;
            here = *header->server;
        }
    }
    Client client;
    if (there.is_loopback()) {
        client.name = client.reverse_name = "localhost";
        client.name_status = client.reverse_status = NameStatus::Ok;
    }
    client.address = std::move(there.address);
    client.port = there.port;
    client.server_address = std::move(here.address);
    client.server_port = here.port;
    client.log_port = *config.client_port_logging;
    return client;
}

}  // namespace smtpd
