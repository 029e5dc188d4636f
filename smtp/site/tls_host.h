// A host in the words of TLS policy.
#pragma once

#include "libtrust/tls_policy.h"
#include "smtp/site/destination.h"
#include "smtp/site/host.h"

namespace smtp {

trust::TlsHost tls_host(const Host& host);
// As a host of this destination, whose entry in smtp_tls_policy_maps counts.
trust::TlsHost tls_host(const Host& host, const Destination& destination);

}  // namespace smtp
