// A host in the words of TLS policy.
#include "smtp/site/tls_host.h"

namespace smtp {

trust::TlsHost tls_host(const Host& host)
{
    trust::TlsHost out;
    out.name = host.name;
    out.address = host.address;
    out.port = host.port;
    out.by_mx = host.mx_asked;
    out.by_srv = host.by_srv;
    out.mx_secure = host.mx_secure;
    out.mx_name = host.mx_canonical;
    out.addresses_secure = host.address_secure;
    out.address_name = host.canonical.empty() ? host.name : host.canonical;
    out.alias_secure = host.canonical_secure;
    return out;
}

trust::TlsHost tls_host(const Host& host, const Destination& destination)
{
    trust::TlsHost out = tls_host(host);
    out.nexthop = destination.text;
    out.domain = destination.name;
    return out;
}

}  // namespace smtp
