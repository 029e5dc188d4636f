// A self-signed certificate with its key, for tests of TLS; made anew each time.
#pragma once

#include <string>

namespace test {

struct CertificatePem {
    std::string key;
    std::string certificate;
};

CertificatePem make_certificate(const char* name);

}  // namespace test
