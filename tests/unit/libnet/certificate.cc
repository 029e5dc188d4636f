// Certificates with their keys, for tests of TLS.
#include "tests/unit/libnet/certificate.h"

#include "libutil/check.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace test {

namespace {

std::string taken(BIO* bio)
{
    char* data = nullptr;
    long length = BIO_get_mem_data(bio, &data);
    std::string text(data, std::size_t(length));
    BIO_free(bio);
    return text;
}

X509* read_certificate(const std::string& pem)
{
    BIO* bio = BIO_new_mem_buf(pem.data(), int(pem.size()));
    X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    CHECK(certificate);
    return certificate;
}

EVP_PKEY* read_key(const std::string& pem)
{
    BIO* bio = BIO_new_mem_buf(pem.data(), int(pem.size()));
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    CHECK(key);
    return key;
}

void extend(X509* certificate, int kind, const std::string& value)
{
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    CHECK(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

std::string bytes_of(unsigned char* data, int length)
{
    CHECK(length > 0);
    std::string bytes(reinterpret_cast<char*>(data), std::size_t(length));
    OPENSSL_free(data);
    return bytes;
}

}  // namespace

CertificatePem make_certificate(const CertificateWish& wish)
{
    static long serial = 1;
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    CHECK(key && certificate);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), wish.begins);
    X509_gmtime_adj(X509_getm_notAfter(certificate), wish.ends);
    X509_set_pubkey(certificate, key);
    X509_NAME* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1, -1, 0);
    std::string names;
    for (const std::string& name : wish.names)
        names += (names.empty() ? "DNS:" : ",DNS:") + name;
    if (!names.empty())
        extend(certificate, NID_subject_alt_name, names);
    if (wish.authority)
        extend(certificate, NID_basic_constraints, "critical,CA:TRUE");

    X509* issuer = wish.issuer ? read_certificate(wish.issuer->certificate) : nullptr;
    EVP_PKEY* signer = wish.issuer ? read_key(wish.issuer->key) : nullptr;
    X509_set_issuer_name(certificate, issuer ? X509_get_subject_name(issuer) : subject);
    CHECK(X509_sign(certificate, signer ? signer : key, EVP_sha256()) > 0);
    X509_free(issuer);
    EVP_PKEY_free(signer);

    CertificatePem pem;
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    pem.key = taken(bio);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    pem.certificate = taken(bio);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return pem;
}

CertificatePem make_certificate(const char* name)
{
    return make_certificate(CertificateWish{.common_name = name});
}

std::string certificate_der(const CertificatePem& pem)
{
    X509* certificate = read_certificate(pem.certificate);
    unsigned char* data = nullptr;
    int length = i2d_X509(certificate, &data);
    X509_free(certificate);
    return bytes_of(data, length);
}

std::string key_der(const CertificatePem& pem)
{
    X509* certificate = read_certificate(pem.certificate);
    unsigned char* data = nullptr;
    int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &data);
    X509_free(certificate);
    return bytes_of(data, length);
}

std::string key_pem(const CertificatePem& pem)
{
    X509* certificate = read_certificate(pem.certificate);
    BIO* bio = BIO_new(BIO_s_mem());
    CHECK(bio && PEM_write_bio_PUBKEY(bio, X509_get0_pubkey(certificate)) == 1);
    char* text = nullptr;
    long length = BIO_get_mem_data(bio, &text);
    std::string result(text, std::size_t(length));
    BIO_free(bio);
    X509_free(certificate);
    return result;
}

}  // namespace test
