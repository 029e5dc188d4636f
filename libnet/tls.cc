// TLS by OpenSSL: contexts, and the blocking transport.
#include "libnet/tls.h"

#include "libutil/handle.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <algorithm>
#include <cerrno>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <vector>

namespace net {

namespace {

constexpr std::size_t max_chain_size = 1024 * 1024;

using Ssl = util::Handle<SSL, SSL_free>;
using Bio = util::Handle<BIO, BIO_free_all>;
using Key = util::Handle<EVP_PKEY, EVP_PKEY_free>;
using Certificate = util::Handle<X509, X509_free>;
void free_stack(STACK_OF(X509) * stack)
{
    sk_X509_free(stack);  // a macro in OpenSSL; the certificates are not the stack's
}
using CertificateStack = util::Handle<STACK_OF(X509), free_stack>;

struct Pem {
    std::vector<Key> keys;
    std::vector<Certificate> certificates;
};

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

util::Result<Pem> read_pem(std::string_view text)
{
    if (text.size() > max_chain_size)
        return util::invalid("the certificate chain is larger than 1 MB");
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

// Host names as RFC 6066 §3 has them; anything else is not worth knowing, or logging.
std::string checked_server_name(SSL* connection)
{
    const char* name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
    if (!name)
        return {};
    std::string_view text = name;
    bool good = text.size() <= 255 && std::ranges::all_of(text, [](char c) {
        return util::is_alnum(c) || c == '-' || c == '.' || c == '_';
    });
    return good ? util::lower(text) : std::string();
}

class TlsTransport final : public Transport {
public:
    TlsTransport(util::UniqueFd socket, Ssl connection)
        : socket_(std::move(socket)), connection_(std::move(connection))
    {
    }

    util::Result<std::size_t> read(std::span<char> buffer) override
    {
        ERR_clear_error();
        errno = 0;
        std::size_t count = 0;
        int result = SSL_read_ex(connection_.get(), buffer.data(), buffer.size(), &count);
        if (result == 1)
            return count;
        int code = errno;
        int reason = SSL_get_error(connection_.get(), result);
        if (reason == SSL_ERROR_ZERO_RETURN)
            return std::size_t(0);
        return failure(reason, code, "TLS read");
    }

    void set_write_deadline(util::Deadline deadline) override { write_deadline_ = deadline; }

    util::Result<void> write_all(std::string_view bytes) override
    {
        while (!bytes.empty()) {
            ERR_clear_error();
            errno = 0;
            std::size_t count = 0;
            int result = SSL_write_ex(connection_.get(), bytes.data(), bytes.size(), &count);
            if (result == 1) {
                bytes.remove_prefix(count);
                if (!bytes.empty())
                    TRY(detail::go_on_writing(socket_.get(), write_deadline_));
                continue;
            }
            int code = errno;
            int reason = SSL_get_error(connection_.get(), result);
            if ((reason == SSL_ERROR_WANT_WRITE || reason == SSL_ERROR_WANT_READ) && code == EINTR)
                continue;
            return failure(reason, code, "TLS write");
        }
        return {};
    }

    util::Result<void> set_timeout(util::Duration timeout) override
    {
        return detail::set_socket_timeout(socket_.get(), timeout);
    }

    bool readable() override
    {
        if (SSL_has_pending(connection_.get()))
            return true;
        // A record may have come that holds no data (a ticket, a key update): then the answer is
        // wrong once, and the read waits.
        char byte;
        return ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
    }

    void finish() override
    {
        // After a fatal error OpenSSL forbids it.
        if (!broken_) {
            ERR_clear_error();
            (void)SSL_shutdown(connection_.get());
        }
    }

    int fd() const override { return socket_.get(); }

private:
    util::Error failure(int reason, int code, std::string_view what)
    {
        if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE)
            return detail::transport_error(what, code ? code : EAGAIN);
        broken_ = true;
        if (reason == SSL_ERROR_SYSCALL)
            return detail::transport_error(what, code ? code : ECONNRESET);
        util::Error error = tls_error(what);
        error.kind = util::Kind::Temporary;
        error.code = closed_code;
        return error;
    }

    util::Deadline write_deadline_ = util::Deadline::never();
    util::UniqueFd socket_;
    Ssl connection_;
    bool broken_ = false;
};

}  // namespace

util::Error tls_error(std::string_view what)
{
    unsigned long code = ERR_get_error();
    ERR_clear_error();
    const char* reason = code ? ERR_reason_error_string(code) : nullptr;
    return util::invalid(util::concat(what, ": ", reason ? reason : "unknown error"));
}

namespace {

// Whether a certificate is worth something its owner's rules decide, by tls_facts().
int take_any_certificate(int, X509_STORE_CTX*) { return 1; }

util::Result<void> ask_for_certificates(SSL_CTX* context, std::string_view authorities)
{
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, take_any_certificate);
    // Without it a session that is resumed would be refused (SSL_CTX_set_session_id_context(3)).
    static constexpr unsigned char purpose[] = "tern";
    if (SSL_CTX_set_session_id_context(context, purpose, sizeof purpose) != 1)
        return tls_error("session context");
    auto pem = TRY(read_pem(authorities));
    for (const Certificate& authority : pem.certificates) {
        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) != 1 ||
            SSL_CTX_add_client_CA(context, authority.get()) != 1)
            return tls_error("certificate authority");
    }
    return {};
}

std::string fingerprint(std::string_view digest)
{
    std::string text;
    for (char byte : digest)
        util::append(text, text.empty() ? "" : ":", util::upper(util::hex(std::string_view(&byte, 1))));
    return text;
}

void add_client_certificate(SSL* connection, TlsFacts& facts)
{
    const X509* certificate = SSL_get0_peer_certificate(connection);
    if (!certificate)
        return;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (X509_digest(certificate, EVP_sha256(), digest, &size) == 1)
        facts.client_certificate = fingerprint({reinterpret_cast<const char*>(digest), size});
    // Of the whole SubjectPublicKeyInfo, as Postfix does it.
    unsigned char* key = nullptr;
    int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key);
    if (length > 0 && EVP_Digest(key, std::size_t(length), digest, &size, EVP_sha256(), nullptr) == 1)
        facts.client_key = fingerprint({reinterpret_cast<const char*>(digest), size});
    OPENSSL_free(key);
    facts.client_trusted = !facts.client_certificate.empty() && SSL_get_verify_result(connection) == X509_V_OK;
}

}  // namespace

util::Result<TlsContext> TlsContext::server(std::string_view chain_pem, const TlsSettings& settings)
{
    std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    CHECK(context);
    auto versions = TRY(parse_tls_protocols(settings.protocols));
    if (SSL_CTX_set_min_proto_version(context.get(), versions.lowest) != 1 ||
        SSL_CTX_set_max_proto_version(context.get(), versions.highest) != 1)
        return tls_error("protocols");
    if (SSL_CTX_set_cipher_list(context.get(), settings.ciphers.c_str()) != 1)
        return tls_error(util::concat("cipher list ", settings.ciphers));
    auto pem = TRY(read_pem(chain_pem));
    TRY(use_chains(context.get(), pem));

    SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                           SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (settings.prefer_server_ciphers)
        SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (!settings.session_tickets) {
        SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(context.get(), 0);
    }
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    if (settings.ask_client_certificate)
        TRY(ask_for_certificates(context.get(), settings.client_ca));
    return TlsContext(std::move(context));
}

TlsFacts tls_facts(SSL* connection)
{
    TlsFacts facts;
    facts.protocol = SSL_get_version(connection);
    if (const SSL_CIPHER* cipher = SSL_get_current_cipher(connection)) {
        facts.cipher = SSL_CIPHER_get_name(cipher);
        facts.cipher_bits = SSL_CIPHER_get_bits(cipher, &facts.algorithm_bits);
    }
    facts.server_name = checked_server_name(connection);
    // RFC 9266 §4.2: with TLS 1.2 only where the extended master secret binds the handshake.
    bool safe = SSL_version(connection) >= TLS1_3_VERSION ||
                (SSL_version(connection) == TLS1_2_VERSION && SSL_get_extms_support(connection) == 1);
    constexpr std::string_view label = "EXPORTER-Channel-Binding";
    unsigned char exporter[32];
    const unsigned char no_context = 0;
    if (safe && SSL_export_keying_material(connection, exporter, sizeof exporter, label.data(),
                                           label.size(), &no_context, 0, 1) == 1)
        facts.exporter.assign(reinterpret_cast<const char*>(exporter), sizeof exporter);
    add_client_certificate(connection, facts);
    return facts;
}

namespace {

// Until the socket is ready for what the handshake wants, or the error that ends it.
util::Result<void> await_handshake(int socket, short events, util::Deadline deadline, const std::function<bool()>& wants_stop)
{
    for (;;) {
        pollfd item{.fd = socket, .events = events, .revents = 0};
        int ready = deadline.passed() ? 0 : ::poll(&item, 1, deadline.poll_milliseconds());
        if (ready > 0)
            return {};
        if (ready == 0)
            return detail::transport_error("TLS handshake", EAGAIN);
        if (errno != EINTR || (wants_stop && wants_stop()))
            return detail::transport_error("TLS handshake", errno);
    }
}

}  // namespace

util::Result<TlsAccepted> tls_accept(const TlsContext& context, util::UniqueFd socket,
                                     util::Deadline deadline, const std::function<bool()>& wants_stop)
{
    // Or a client that sends a byte now and then would hold us for as long as it likes: OpenSSL reads on
    // within one call.
    TRY(util::sys::set_nonblocking(socket.get(), true));
    Ssl connection(SSL_new(context.native()));
    CHECK(connection);
    // One read(2) takes what there is, instead of a record's head and then its body.
    SSL_set_read_ahead(connection.get(), 1);
    if (SSL_set_fd(connection.get(), socket.get()) != 1)
        return tls_error("TLS");
    for (;;) {
        ERR_clear_error();
        errno = 0;
        int result = SSL_accept(connection.get());
        if (result == 1)
            break;
        int code = errno;
        int reason = SSL_get_error(connection.get(), result);
        if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
            TRY(await_handshake(socket.get(), reason == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline, wants_stop));
            continue;
        }
        if (reason == SSL_ERROR_SYSCALL)
            return detail::transport_error("TLS handshake", code ? code : ECONNRESET);
        util::Error error = tls_error("TLS handshake");
        error.kind = util::Kind::Temporary;
        return error;
    }
    TRY(util::sys::set_nonblocking(socket.get(), false));
    TlsFacts facts = tls_facts(connection.get());
    return TlsAccepted{std::make_unique<TlsTransport>(std::move(socket), std::move(connection)),
                       std::move(facts)};
}

}  // namespace net
