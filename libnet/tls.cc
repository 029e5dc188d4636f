// TLS by OpenSSL: contexts of servers, and what was agreed on.
#include "libnet/tls_internal.h"

#include "libutil/text.h"

#include <algorithm>
#include <openssl/err.h>

namespace net {

util::Error tls_error(std::string_view what)
{
    unsigned long code = ERR_get_error();
    ERR_clear_error();
    const char* reason = code ? ERR_reason_error_string(code) : nullptr;
    return util::invalid(util::concat(what, ": ", reason ? reason : "unknown error"));
}

namespace detail {

std::string fingerprint(std::string_view digest)
{
    std::string text;
    for (char byte : digest)
        util::append(text, text.empty() ? "" : ":", util::upper(util::hex(std::string_view(&byte, 1))));
    return text;
}

std::string certificate_fingerprint(const X509* certificate, const EVP_MD* digest)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (X509_digest(certificate, digest, bytes, &size) != 1)
        return {};
    return fingerprint({reinterpret_cast<const char*>(bytes), size});
}

std::string key_fingerprint(const X509* certificate, const EVP_MD* digest)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    unsigned char* key = nullptr;
    int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key);
    bool good = length > 0 && EVP_Digest(key, std::size_t(length), bytes, &size, digest, nullptr) == 1;
    OPENSSL_free(key);
    return good ? fingerprint({reinterpret_cast<const char*>(bytes), size}) : std::string();
}

TlsFacts common_facts(SSL* connection)
{
    TlsFacts facts;
    facts.resumed = SSL_session_reused(connection) == 1;
    facts.protocol = SSL_get_version(connection);
    if (const SSL_CIPHER* cipher = SSL_get_current_cipher(connection)) {
        facts.cipher = SSL_CIPHER_get_name(cipher);
        facts.cipher_bits = SSL_CIPHER_get_bits(cipher, &facts.algorithm_bits);
    }
    // RFC 9266 §4.2: with TLS 1.2 only where the extended master secret binds the handshake.
    bool safe = SSL_version(connection) >= TLS1_3_VERSION ||
                (SSL_version(connection) == TLS1_2_VERSION && SSL_get_extms_support(connection) == 1);
    constexpr std::string_view label = "EXPORTER-Channel-Binding";
    unsigned char exporter[32];
    const unsigned char no_context = 0;
    if (safe && SSL_export_keying_material(connection, exporter, sizeof exporter, label.data(),
                                           label.size(), &no_context, 0, 1) == 1)
        facts.exporter.assign(reinterpret_cast<const char*>(exporter), sizeof exporter);
    return facts;
}

}  // namespace detail

namespace {

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

// Whether a certificate is worth something its owner's rules decide, by tls_facts().
int take_any_certificate(int, X509_STORE_CTX*) { return 1; }

util::Result<void> ask_for_certificates(SSL_CTX* context, std::string_view authorities)
{
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, take_any_certificate);
    // Without it a session that is resumed would be refused (SSL_CTX_set_session_id_context(3)).
    static constexpr unsigned char purpose[] = "tern";
    if (SSL_CTX_set_session_id_context(context, purpose, sizeof purpose) != 1)
        return tls_error("session context");
    auto pem = TRY(detail::read_pem(authorities));
    for (const detail::Certificate& authority : pem.certificates) {
        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) != 1 ||
            SSL_CTX_add_client_CA(context, authority.get()) != 1)
            return tls_error("certificate authority");
    }
    return {};
}

void add_client_certificate(SSL* connection, TlsFacts& facts)
{
    const X509* certificate = SSL_get0_peer_certificate(connection);
    if (!certificate)
        return;
    facts.client_certificate = detail::certificate_fingerprint(certificate, EVP_sha256());
    facts.client_key = detail::key_fingerprint(certificate, EVP_sha256());
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
    auto texts = TRY(split_certificates(chain_pem));
    auto pem = TRY(detail::read_pem(texts.everybody));
    TRY(detail::use_chains(context.get(), pem));
    detail::choose_by_name(context.get(), std::move(texts.names));

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
    TlsFacts facts = detail::common_facts(connection);
    facts.server_name = checked_server_name(connection);
    add_client_certificate(connection, facts);
    return facts;
}

util::Result<TlsAccepted> tls_accept(const TlsContext& context, util::UniqueFd socket,
                                     util::Deadline deadline, const std::function<bool()>& wants_stop)
{
    detail::Ssl connection = detail::new_connection(context);
    SSL_set_accept_state(connection.get());
    SSL* shared = connection.get();  // the transport's from now on
    auto transport = TRY(detail::shake_hands(std::move(connection), std::move(socket), deadline, wants_stop));
    return TlsAccepted{std::move(transport), tls_facts(shared)};
}

}  // namespace net
