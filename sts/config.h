// The main.cf(5) parameters of sts(8).
#pragma once

#include "libconf/parameter.h"

namespace sts {

using namespace std::chrono_literals;

struct Config : conf::Section {
    conf::Duration timeout{this, "sts_timeout", "60s", {.min = 1s, .max = 10min},
        "How long the fetch of one policy may take in all."};
    conf::Duration failure_time{this, "sts_failure_time", "5m", {.min = 1s, .max = 24h},
        "How long a policy that could not be fetched is not asked for again, unless its id changes (RFC 8461 section 3.3)."};
    conf::Duration refresh_time{this, "sts_refresh_time", "1d", {.min = 1min, .max = 24h * 30},
        "How old a policy is when it is fetched again though nobody asks for it, so that it does not run out."};
    conf::Count cache_limit{this, "sts_cache_limit", "10000", {.min = 10, .max = 1'000'000},
        "Of how many domains policies are kept in $data_directory/sts.  For one more the domain gives way that was asked for "
        "longest ago, to the hour."};
    conf::Path ca_file{this, "sts_tls_CAfile", "/etc/ssl/certs/ca-certificates.crt",
        "A file of certificates in PEM form, of those who are trusted to make certificates for the web servers that "
        "publish policies."};
    conf::Count https_port{this, "sts_https_port", "443", {.min = 1, .max = 65535},
        "The port of these web servers; another one is for tests."};
};

}  // namespace sts
