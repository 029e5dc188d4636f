// Connections from smtp_bind_address.
#include "smtp/site/connect_from.h"

#include "libutil/log.h"

#include <cerrno>

namespace smtp {

util::Result<util::UniqueFd> connect_from(const Host& host, const SiteConfig& config, net::ConnectOptions options)
{
    net::Endpoint endpoint{host.address, host.port};
    bool ipv6 = host.address.find(':') != std::string::npos;
    options.from = ipv6 ? *config.bind_address6 : *config.bind_address;
    auto fd = net::connect_to(endpoint, options);
    bool no_address = !fd.ok() && !options.from.empty() && fd.error().code == EADDRNOTAVAIL;
    if (!no_address)
        return fd;
    util::log::warning("no connection can come from ", options.from, ": ", fd.error().text);
    if (*config.bind_address_enforce)
        return fd;
    options.from.clear();
    return net::connect_to(endpoint, options);
}

}  // namespace smtp
