// What the DNS says of a destination's hosts, in the words of TLS policy.
#pragma once

#include "libnet/dns.h"
#include "libtrust/tls_policy.h"

namespace trust {

// Bogus, Filtered, Malformed and TryAgain are Failed: none of them may pass for "there are none" (RFC 7672 §2.1.2).
TlsaAnswer tlsa_answer(const net::dns::Answer<net::dns::Tlsa>& answer);

// The MX records that led to a host, or to none: an answer of NoData names the domain itself.
void set_mx(TlsHost& host, const net::dns::Answer<net::dns::Mx>& answer);
// The answer with the host's addresses.
void set_addresses(TlsHost& host, const net::dns::Answer<std::string>& answer);

}  // namespace trust
