// What the sources of libnet that call OpenSSL share.
#pragma once

#include "libnet/tls.h"
#include "libnet/tls_sni.h"
#include "libutil/handle.h"

#include <functional>
#include <memory>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string>
#include <string_view>
#include <vector>

namespace net {
class TlsSessions;
struct TlsTarget;
struct TlsPeerFacts;
}

namespace net::detail {

using Ssl = util::Handle<SSL, SSL_free>;
using Bio = util::Handle<BIO, BIO_free_all>;
using Key = util::Handle<EVP_PKEY, EVP_PKEY_free>;
using Certificate = util::Handle<X509, X509_free>;
using SslSession = util::Handle<SSL_SESSION, SSL_SESSION_free>;

// --- PEM (tls_pem.cc) ----------------------------------------------------------------------------

constexpr std::size_t max_chain_size = 1024 * 1024;


struct Pem {
    std::vector<Key> keys;
    std::vector<Certificate> certificates;
    std::vector<Key> public_keys;
};

// All keys and certificates of a text of at most `limit` bytes.  Invalid: too large, broken, or a key is encrypted.
util::Result<Pem> read_pem(std::string_view text, std::size_t limit = max_chain_size);
// The certificate of each key, with those behind it that belong to no key as its chain.
util::Result<void> use_chains(SSL_CTX* context, const Pem& pem);

// A server's context shows what these entries say to clients that ask for their names (tls_sni.cc).
void choose_by_name(SSL_CTX* context, std::vector<SniEntry> names);

// --- facts (tls.cc) ------------------------------------------------------------------------------

// What both sides know of a finished handshake: all but the names and certificates.
TlsFacts common_facts(SSL* connection);
// The client's: with all of the server's certificate.
TlsPeerFacts peer_facts(SSL* connection, const TlsTarget& target);
// Is it checked by TlsTarget::anchors?
bool has_anchors(const TlsTarget& target);
// A digest as "AB:CD:...".
std::string fingerprint(std::string_view digest);
// Of the certificate, and of its whole SubjectPublicKeyInfo, as Postfix does it; empty when that fails.
std::string certificate_fingerprint(const X509* certificate, const EVP_MD* digest);
std::string key_fingerprint(const X509* certificate, const EVP_MD* digest);

// --- connections (tls_transport.cc) -----------------------------------------------------------------

// Where what a server gives to resume its session by goes.  Shared: a connection may outlive the context.
struct SessionSlot {
    std::shared_ptr<TlsSessions> sessions;
    std::string key;
};

// A connection of a connected socket that is told with SSL_set_accept_state() or SSL_set_connect_state()
// which side it is: shakes hands, and ends in a transport.
util::Result<std::unique_ptr<Transport>> shake_hands(Ssl connection, util::UniqueFd socket, util::Deadline deadline,
                                                     const std::function<bool()>& wants_stop,
                                                     std::unique_ptr<SessionSlot> slot = nullptr);
// Before its handshake: with the context's settings.
Ssl new_connection(const TlsContext& context);

}  // namespace net::detail
