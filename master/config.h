// The parameters of master(8).
#pragma once

#include "libconf/parameter.h"

namespace master {

struct Config : conf::Section {
    conf::Words tls_chain_files{this, "tls_chain_files", "",
        "Files in PEM form, each with a private key followed by its certificate and the chain above "
        "it.  master(8) reads them as root, checks that key and certificate belong together, and "
        "hands them to the servers that speak TLS.  Empty: there is no TLS."};
    conf::TableNames tls_server_sni_maps{this, "tls_server_sni_maps", "",
        "Tables of further certificates, by the name that a client asks for (SNI): a host name, or .domain for all "
        "names below it, and the files for it in the form of $tls_chain_files.  master(8) reads them whole, so that only "
        "hash:, btree:, lmdb: and texthash: can be named."};
    conf::Duration tls_chain_check_time{this, "tls_chain_check_time", "10s",
        {.min = std::chrono::seconds(1), .max = std::chrono::hours(24)},
        "How often master(8) looks whether $tls_chain_files changed, or files and tables of $tls_server_sni_maps."};
    conf::Duration service_throttle_time{this, "service_throttle_time", "60s",
        {.min = std::chrono::seconds(1), .max = std::chrono::hours(1)},
        "How long master(8) waits before it starts a service anew whose process died at its start."};
    conf::Duration stress_time{this, "master_stress_time", "1000s",
        {.min = std::chrono::seconds(1), .max = std::chrono::hours(24)},
        "How long after all processes of a service were last busy its new ones still get stress=yes."};
    conf::Words import_environment{this, "import_environment", "TZ, LANG=C",
        "The environment of all daemons: names of variables that are taken over when they are set, "
        "and name=value pairs."};
};

}  // namespace master
