// Where certificates come from: chain files, and tables of further ones by name.
#pragma once

#include "libutil/result.h"

#include <string>
#include <vector>

namespace master {

struct CertificateSources {
    std::vector<std::string> chain_files;  // tls_chain_files
    std::vector<std::string> sni_maps;     // tls_server_sni_maps
};

struct CertificateText {
    std::string text;                      // of all of them (libnet/tls_sni.h); empty: none
    std::vector<std::string> files;        // that were read, tables too
};

// Reads all, and checks that they hold matching pairs.  Invalid and others: what is wrong, with the file or the
// table's key; also names without $tls_chain_files, which clients get that ask for none.
util::Result<CertificateText> read_certificates(const CertificateSources& sources);

}  // namespace master
