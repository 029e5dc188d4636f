// Certificates with their keys, for tests of TLS; made anew each time.
#pragma once

#include <string>
#include <vector>

namespace test {

struct CertificatePem {
    std::string key;
    std::string certificate;
};

struct CertificateWish {
    std::string common_name;
    std::vector<std::string> names = {};  // subjectAltName
    bool authority = false;               // may make others
    const CertificatePem* issuer = nullptr;  // none: self-signed
    int begins = -3600;                   // seconds from now
    int ends = 3600 * 24;
};

CertificatePem make_certificate(const CertificateWish& wish);
CertificatePem make_certificate(const char* name);

// In DER.
std::string certificate_der(const CertificatePem& pem);
std::string key_der(const CertificatePem& pem);  // SubjectPublicKeyInfo
std::string key_pem(const CertificatePem& pem);  // the same in PEM

}  // namespace test
