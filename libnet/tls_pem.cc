// Keys and certificates in PEM, for contexts.
#include "libnet/tls_internal.h"

#include "libutil/text.h"

#include <openssl/err.h>
#include <openssl/pem.h>

namespace net::detail {

namespace {

void free_stack(STACK_OF(X509) * stack)
{
    sk_X509_free(stack);  // a macro in OpenSSL; the certificates are not the stack's
}
using CertificateStack = util::Handle<STACK_OF(X509), free_stack>;

struct PemBlock {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long length = 0;

    PemBlock() = default;
    PemBlock(const PemBlock&) = delete;
    PemBlock& operator=(const PemBlock&) = delete;
    ~PemBlock()
    {
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, std::size_t(length));
    }
};

}  // namespace

util::Result<Pem> read_pem(std::string_view text, std::size_t limit)
{
    if (text.size() > limit)
        return util::invalid(util::concat("certificates in PEM of more than ", limit / (1024 * 1024), " MB"));
    Bio bio(BIO_new_mem_buf(text.data(), int(text.size())));
    CHECK(bio);
    Pem pem;
    for (;;) {
        PemBlock block;
        if (PEM_read_bio(bio.get(), &block.name, &block.header, &block.data, &block.length) != 1)
            break;
        std::string_view name = block.name;
        const unsigned char* cursor = block.data;
        if (name == "CERTIFICATE" || name == "X509 CERTIFICATE") {
            Certificate certificate(d2i_X509(nullptr, &cursor, block.length));
            if (!certificate)
                return tls_error("certificate");
            pem.certificates.push_back(std::move(certificate));
        } else if (name == "ENCRYPTED PRIVATE KEY" || *block.header) {
            return util::invalid("the private key is encrypted");
        } else if (name.ends_with("PRIVATE KEY")) {
            Key key(d2i_AutoPrivateKey(nullptr, &cursor, block.length));
            if (!key)
                return tls_error("private key");
            pem.keys.push_back(std::move(key));
        } else if (name == "PUBLIC KEY") {
            Key key(d2i_PUBKEY(nullptr, &cursor, block.length));
            if (!key)
                return tls_error("public key");
            pem.public_keys.push_back(std::move(key));
        }
    }
    unsigned long error = ERR_peek_last_error();
    bool at_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
    if (!at_end)
        return tls_error("PEM");
    ERR_clear_error();
    return pem;
}

// The certificate of each key, with those behind it that belong to no key as its chain.
util::Result<void> use_chains(SSL_CTX* context, const Pem& pem)
{
    if (pem.keys.empty())
        return util::invalid("no private key");
    if (pem.certificates.empty())
        return util::invalid("no certificate");
    auto key_of = [&](const Certificate& certificate) -> EVP_PKEY* {
        EVP_PKEY* own = X509_get0_pubkey(certificate.get());
        for (const Key& key : pem.keys)
            if (own && EVP_PKEY_eq(own, key.get()) == 1)
                return key.get();
        return nullptr;
    };
    std::size_t used = 0;
    for (std::size_t i = 0; i < pem.certificates.size(); ++i) {
        EVP_PKEY* key = key_of(pem.certificates[i]);
        if (!key)
            continue;
        CertificateStack chain(sk_X509_new_null());
        CHECK(chain);
        for (std::size_t j = i + 1; j < pem.certificates.size() && !key_of(pem.certificates[j]); ++j)
            sk_X509_push(chain.get(), pem.certificates[j].get());
        if (SSL_CTX_use_cert_and_key(context, pem.certificates[i].get(), key, chain.get(), 1) != 1)
            return tls_error("certificate and key");
        ++used;
    }
    if (used != pem.keys.size())
        return util::invalid("a private key matches no certificate");
    return {};
}

}  // namespace net::detail
