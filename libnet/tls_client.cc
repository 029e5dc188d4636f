// The client's side of TLS: contexts, and the handshake.  What the certificate is worth: tls_verify.cc.
#include "libnet/tls_client.h"

#include "libnet/tls_internal.h"
#include "libnet/tls_sessions.h"
#include "libutil/text.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace net {

namespace {

util::Result<void> trust(SSL_CTX* context, const TlsClientSettings& settings)
{
    X509_STORE* store = SSL_CTX_get_cert_store(context);
    if (!settings.authorities.empty()) {
        auto pem = TRY(detail::read_pem(settings.authorities, max_authorities_size));
        for (const detail::Certificate& authority : pem.certificates)
            if (X509_STORE_add_cert(store, authority.get()) != 1)
                return tls_error("certificate authority");
    }
    if (!settings.authority_directory.empty() && X509_STORE_load_path(store, settings.authority_directory.c_str()) != 1)
        return tls_error("directory of certificate authorities");
    return {};
}

// Trust comes from these records, and from nobody else.
util::Result<void> expect_records(SSL* connection, const std::vector<TlsaRecord>& records)
{
    bool any = false;
    for (const TlsaRecord& record : records) {
        if (!is_usable(record))
            continue;
        int added = SSL_dane_tlsa_add(connection, record.usage, record.selector, record.matching,
                                      reinterpret_cast<const unsigned char*>(record.data.data()), record.data.size());
        if (added < 0)
            return tls_error("TLSA record");
        any |= added > 0;
    }
    ERR_clear_error();
    if (!any)
        return util::invalid("no usable TLSA record");
    return {};
}

util::Result<void> expect_dane(SSL* connection, const TlsTarget& target)
{
    if (target.names.empty())
        return util::invalid("no name to look for with TLSA records");
    if (SSL_dane_enable(connection, target.names.front().c_str()) <= 0)
        return tls_error("TLSA base domain");
    // With DANE-EE the record alone says whose the key is (RFC 7672 §3.1.1).
    SSL_dane_set_flags(connection, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    for (std::size_t i = 1; i < target.names.size(); ++i)
        if (SSL_add1_host(connection, target.names[i].c_str()) != 1)
            return tls_error("name to look for");
    return expect_records(connection, target.tlsa);
}

// Without a base domain, which would be asked for by SNI.
util::Result<void> expect_anchors(SSL* connection, const TlsTarget& target)
{
    if (SSL_dane_enable(connection, nullptr) <= 0)
        return tls_error("trust anchors");
    SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                      (target.alternative_names_only ? X509_CHECK_FLAG_NEVER_CHECK_SUBJECT : 0U));
    for (const std::string& name : target.names)
        if (!name.empty() && SSL_add1_host(connection, name.c_str()) != 1)
            return tls_error("name to look for");
    return expect_records(connection, target.anchors);
}

// OpenSSL has a session for us, with a reference that is ours when we say so.
int keep_session(SSL* connection, SSL_SESSION* session)
{
    const auto* slot = static_cast<const detail::SessionSlot*>(SSL_get_app_data(connection));
    if (!slot)
        return 0;
    slot->sessions->put(slot->key, detail::SslSession(session), util::now());
    return 1;
}

// What is to be known of a server that resumes a session: its certificates have been looked at before.
TlsPeerFacts resumed_facts(SSL* connection, TlsPeerFacts facts)
{
    TlsPeerFacts fresh = detail::peer_facts(connection, {});
    facts.agreed = fresh.agreed;
    facts.details = fresh.details;
    return facts;
}

util::Result<detail::Ssl> client_connection(const TlsContext& context, const TlsTarget& target)
{
    ERR_clear_error();
    auto versions = TRY(parse_tls_protocols(target.protocols));
    detail::Ssl connection = detail::new_connection(context);
    SSL_set_connect_state(connection.get());
    if (!target.strict)
        SSL_set_security_level(connection.get(), 0);
    if (SSL_set_min_proto_version(connection.get(), versions.lowest) != 1 ||
        SSL_set_max_proto_version(connection.get(), versions.highest) != 1)
        return tls_error("protocols");
    if (SSL_set_cipher_list(connection.get(), target.ciphers.c_str()) != 1)
        return tls_error(util::concat("cipher list ", target.ciphers));
    if (target.check == TlsCheck::Fingerprints && !EVP_get_digestbyname(target.fingerprint_digest.c_str()))
        return util::invalid(util::concat("unknown digest ", util::printable(target.fingerprint_digest, 40)));
    if (target.check == TlsCheck::Dane)
        TRY(expect_dane(connection.get(), target));
    if (detail::has_anchors(target))
        TRY(expect_anchors(connection.get(), target));
    if (!target.server_name.empty() && SSL_set_tlsext_host_name(connection.get(), target.server_name.c_str()) != 1)
        return tls_error("server name");
    return connection;
}

}  // namespace

util::Result<TlsContext> TlsContext::client(const TlsClientSettings& settings)
{
    std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    CHECK(context);
    TRY(trust(context.get(), settings));
    if (!settings.chain.empty()) {
        auto pem = TRY(detail::read_pem(settings.chain));
        TRY(detail::use_chains(context.get(), pem));
    }
    if (SSL_CTX_dane_enable(context.get()) != 1)
        return tls_error("DANE");
    SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (settings.max_sessions == 0) {
        SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
        SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    } else {
        SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(context.get(), keep_session);
    }
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify_depth(context.get(), settings.verify_depth);
    // The chain is looked at all the same; what comes of it is read afterwards.
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    TlsContext made(std::move(context));
    if (settings.max_sessions > 0)
        made.sessions_ = std::make_shared<TlsSessions>(settings.max_sessions, settings.session_lifetime);
    return made;
}

util::Result<TlsConnected> tls_connect(const TlsContext& context, const TlsTarget& target, util::UniqueFd socket,
                                       util::Deadline deadline, const std::function<bool()>& wants_stop)
{
    auto connection = TRY(client_connection(context, target));
    SSL* shared = connection.get();  // the transport's from now on
    const auto& sessions = context.sessions();
    std::string key = sessions ? session_key(target) : std::string();
    if (key.empty()) {
        auto transport = TRY(detail::shake_hands(std::move(connection), std::move(socket), deadline, wants_stop));
        return TlsConnected{std::move(transport), detail::peer_facts(shared, target)};
    }
    auto slot = std::make_unique<detail::SessionSlot>(detail::SessionSlot{sessions, key});
    SSL_set_app_data(shared, slot.get());
    auto before = sessions->take(key, util::now());
    if (before && SSL_set_session(shared, before->session.get()) != 1)
        return tls_error("session");
    auto transport = TRY(detail::shake_hands(std::move(connection), std::move(socket), deadline, wants_stop, std::move(slot)));
    bool resumed = before && SSL_session_reused(shared) == 1;
    TlsPeerFacts facts = resumed ? resumed_facts(shared, std::move(before->facts)) : detail::peer_facts(shared, target);
    facts.agreed.server_name = target.server_name;
    // TLS 1.2 may go on with the session as it was, and gives no other.
    if (resumed && SSL_version(shared) < TLS1_3_VERSION)
        sessions->put(key, std::move(before->session), util::now());
    sessions->note(key, facts, resumed ? before->checked : util::now(), util::now());
    return TlsConnected{std::move(transport), std::move(facts)};
}

}  // namespace net
