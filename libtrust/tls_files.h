// The files that the parameters of TLS to other servers name.
#pragma once

#include "libnet/tls_client.h"
#include "libtrust/tls_config.h"

namespace trust {

// The list of authorities that a parameter names.  An error names the parameter; a list that is not there, and was not
// asked for, is none.
util::Result<std::string> read_authorities(const conf::Path& file);

// What a context needs of smtp_tls_CAfile, smtp_tls_CApath and smtp_tls_chain_files, read as who calls it: before
// privileges are dropped.  The directory of CApath is read later, from inside a jail.  An error names its parameter.
util::Result<net::TlsClientSettings> read_tls_files(const TlsConfig& config);

// The certificates and public keys of a file in PEM: who is trusted, in the place of all others.
util::Result<std::vector<net::TlsaRecord>> read_trust_anchors(const std::string& path);

}  // namespace trust
