// Connections to servers from the address that is wanted.
#pragma once

#include "libnet/connect.h"
#include "smtp/site/host.h"
#include "smtp/site/site_config.h"

namespace smtp {

// From bind_address, or bind_address6 as the server's address is; where the machine does not have it, from any with a
// warning, unless bind_address_enforce forbids that.
util::Result<util::UniqueFd> connect_from(const Host& host, const SiteConfig& config, net::ConnectOptions options);

}  // namespace smtp
