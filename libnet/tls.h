// TLS by OpenSSL: what a server may negotiate, and what was negotiated.  The client's side is in tls_client.h.
//
// A TlsContext is made once, from bytes that master(8) hands out as a sealed memfd, and serves
// many connections: blocking ones through Stream::start_tls(), event-driven ones through
// TlsChannel.  SIGPIPE must be ignored in the process: OpenSSL writes without MSG_NOSIGNAL.
#pragma once

#include "libnet/transport.h"
#include "libutil/result.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

struct ssl_ctx_st;
struct ssl_st;

namespace net {

class TlsSessions;
struct TlsClientSettings;

struct TlsSettings {
    // Postfix's form: ">=TLSv1.2", "TLSv1.2 TLSv1.3", "!TLSv1, !TLSv1.1", "<=TLSv1.2"; the names
    // TLSv1, TLSv1.1, TLSv1.2, TLSv1.3 (and SSLv2, SSLv3, which only can be excluded).
    std::string protocols = ">=TLSv1.2";
    // OpenSSL's cipher list for TLS 1.2 and below; TLS 1.3 has its own fixed ones.
    std::string ciphers = "HIGH:!aNULL:!eNULL:!kRSA:!MD5:!DSS:@STRENGTH";
    // Resumption; off means every handshake is whole: tickets of one service must not be good for
    // another (RFC 8446 §8), and mail sessions are few.
    bool session_tickets = false;
    bool prefer_server_ciphers = false;
    // Whether clients are asked for a certificate.  Any is taken, or none: TlsFacts say what came.
    bool ask_client_certificate = false;
    std::string client_ca;  // certificates in PEM, at most 1 MB, of who is trusted to make such certificates
};

// The lowest and highest protocol number (0x0301 = TLSv1 .. 0x0304 = TLSv1.3) that a protocols text
// allows, Invalid when it is malformed, allows none, or leaves a hole in the middle.
struct TlsVersions {
    int lowest = 0;
    int highest = 0;
};
util::Result<TlsVersions> parse_tls_protocols(std::string_view text);

// What was agreed on.
struct TlsFacts {
    std::string protocol;       // "TLSv1.3"
    std::string cipher;         // "TLS_AES_256_GCM_SHA384"
    int cipher_bits = 0;        // 256
    int algorithm_bits = 0;     // 256
    std::string server_name;    // SNI, as the client sent it; checked to be a host name, or empty
    // Channel binding "tls-exporter" (RFC 9266), 32 bytes; empty where it is not safe: TLS 1.2
    // without extended master secret (RFC 9266 §4.2).
    std::string exporter;
    // SHA-256 of the client's certificate and of its public key, "AB:CD:..."; empty without one.
    std::string client_certificate = {};
    std::string client_key = {};
    bool client_trusted = false;  // it is from somebody in client_ca
    bool resumed = false;         // the session is one of before
};

class TlsContext {
public:
    // A server's: private key and certificate chain in PEM, in any order, of at most 1 MB; several
    // chains (RSA and ECDSA) may follow each other, each key before its chain or all in one block.
    // Invalid when a key does not match its certificate, or nothing usable is found.  Behind them there may be
    // chains for single names (tls_sni.h), whose keys are looked at when a client asks for them.
    static util::Result<TlsContext> server(std::string_view chain_pem, const TlsSettings& settings);
    // A client's: libnet/tls_client.h.
    static util::Result<TlsContext> client(const TlsClientSettings& settings);

    // A client's, where TlsClientSettings want sessions to be kept: else null.
    const std::shared_ptr<TlsSessions>& sessions() const { return sessions_; }
    // For OpenSSL's own calls, in libnet only.
    ssl_ctx_st* native() const { return context_.get(); }

private:
    explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
    // Shared with the connections in flight, which may outlive a reload.
    std::shared_ptr<ssl_ctx_st> context_;
    std::shared_ptr<TlsSessions> sessions_;   // as context_
};

// What a finished handshake agreed on.
TlsFacts tls_facts(ssl_st* connection);

// Takes and clears OpenSSL's error queue: "what: reason" of the oldest entry.
util::Error tls_error(std::string_view what);

// Makes a transport of a connected socket in blocking mode: waits for the client's handshake, all of
// which is over by the deadline.  A signal ends it when wants_stop says yes (see Stream::set_stop).
struct TlsAccepted {
    std::unique_ptr<Transport> transport;
    TlsFacts facts;
};
util::Result<TlsAccepted> tls_accept(const TlsContext& context, util::UniqueFd socket,
                                     util::Deadline deadline, const std::function<bool()>& wants_stop);

}  // namespace net
