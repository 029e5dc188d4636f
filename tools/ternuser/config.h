// The main.cf(5) parameters of ternuser(1): their only declaration.
#pragma once

#include "libconf/parameter.h"

namespace ternuser {

struct Config : conf::Section {
    conf::Text uid_range{this, "virtual_uid_range", "1900000000-1999999999", {.min = 3, .max = 30},
        "The uids that accounts get, one each, lowest first and never again.  It must be clear of all "
        "other uids of the machine: of /etc/passwd, of /etc/subuid and containers, and of systemd's "
        "DynamicUser."};
    conf::Count scram_iterations{this, "scram_iterations", "60000", {.min = 4096, .max = 10'000'000},
        "How many rounds of hashing stand between a SCRAM verifier and its password; each log-in "
        "costs the client as many.  Clients built on Cyrus SASL refuse more than 65536."};
};

}  // namespace ternuser
