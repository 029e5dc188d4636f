// The client's side of TLS: what is asked of a server, and what it turned out to be.
//
// A handshake succeeds whatever the server's certificate is worth: TlsPeerFacts say that, and the caller,
// who knows whether mail may go without, decides.  A failed handshake is an Error (see tls_connect).
#pragma once

#include "libnet/tls.h"
#include "libnet/tlsa.h"

#include <vector>

namespace net {

constexpr std::size_t max_authorities_size = 4 * 1024 * 1024;  // bytes; a system's list has about 200 KB

// What is the same for many connections.
struct TlsClientSettings {
    // Whose certificates are trusted: certificates in PEM, at most 4 MB, and a directory with names made by
    // c_rehash(1), from which OpenSSL reads when it needs one.  Both may be empty: then nobody is.
    std::string authorities;
    std::string authority_directory;
    // The certificate to show when a server asks: keys and chains as for TlsContext::server(); empty: none.
    std::string chain;
    int verify_depth = 9;  // certificates between the server's and a trusted one
    // Sessions that are kept in memory to be resumed; 0: none.
    std::size_t max_sessions = 0;
    util::Duration session_lifetime = std::chrono::hours(1);
};

// What a certificate is checked for.
enum class TlsCheck : std::uint8_t {
    None,          // only whether somebody trusted made it, for the log
    Names,         // somebody trusted made it, for one of TlsTarget::names
    Fingerprints,  // it is known, or its key is
    Dane,          // it matches a TLSA record (RFC 7672)
};

// What is asked of one server.
struct TlsTarget {
    std::string protocols = ">=TLSv1.2";  // as in TlsSettings
    std::string ciphers = "HIGH:!aNULL:!eNULL:!kRSA:!MD5:!DSS:@STRENGTH";
    // Whether short keys and old digests are refused (OpenSSL's security level).  Off for who would rather
    // have weak encryption than none (RFC 7435); only then can `ciphers` have anonymous ones.
    bool strict = true;
    std::string server_name;  // to ask for (SNI, RFC 6066 §3); empty: none is sent
    TlsCheck check = TlsCheck::None;
    // Names and Dane: host names; ".example.com" is any name below example.com.  Names of the certificate
    // may begin with "*.", for one label.  With Dane the first is the TLSA base domain (RFC 7672 §3.2.2).
    std::vector<std::string> names;
    // Whether only subjectAltName counts (RFC 8461 §4.1), and not also the CN of a certificate without.
    bool alternative_names_only = false;
    std::vector<std::string> fingerprints;  // "AB:CD:...", of certificate or public key, in any case
    std::string fingerprint_digest = "sha256";
    // Those that are unusable are left out; Invalid when none is left.
    std::vector<TlsaRecord> tlsa;
    // Names: who is trusted, in the place of the context's authorities (trust_anchors()).
    std::vector<TlsaRecord> anchors;
    // Whose session it is, as "host[address]:port"; empty: no session is resumed, and none kept.
    std::string peer;
};

// Postfix's words for what a certificate proved.
enum class PeerStatus : std::uint8_t {
    Anonymous,  // there was no certificate
    Untrusted,  // nobody who is trusted made it
    Trusted,    // somebody trusted did, but nothing says it is this server's
    Verified,   // it passed the check
};
std::string_view name_of(PeerStatus status);  // "Anonymous"

// Why a certificate did not pass TlsTarget::check.
enum class TlsFailure : std::uint8_t {
    None,
    NoCertificate,
    Expired,       // or not yet valid
    NotTrusted,    // unknown issuer, self-signed
    NameMismatch,
    FingerprintMismatch,
    TlsaMismatch,
    Revoked,
    Other,
};

struct TlsPeerFacts {
    TlsFacts agreed;              // server_name is what was asked for
    std::string details;          // "key-exchange X25519 server-signature ECDSA (P-256) server-digest SHA256"; TLS 1.3 only
    PeerStatus status = PeerStatus::Anonymous;
    TlsFailure failure = TlsFailure::None;
    std::string failure_text;     // why, for a person: "self-signed certificate"
    std::string matched;          // what made it Verified: a name, a fingerprint, "TLSA 3 1 1 8cb0.."
    // Of the server's certificate.  Text is as it came: escape it before it goes into a log.
    std::vector<std::string> names;  // subjectAltName, at most max_names
    std::string common_name;
    std::string issuer;              // the issuer's common name, or else its organization
    std::string certificate;         // fingerprints, by fingerprint_digest
    std::string key;

    static constexpr std::size_t max_names = 50;

    // "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange ...", as Postfix logs it.
    std::string summary() const;
};

// Makes a transport of a connected socket in blocking mode: a handshake, all of which is over by the deadline.
// Invalid: the target cannot be (unknown protocol, cipher, digest); nothing was sent.  Temporary: the server
// closed (closed_code), took too long (timeout_code), sent what is not TLS, or agreed to nothing we allow; a
// signal came and wants_stop said yes (interrupted_code).
struct TlsConnected {
    std::unique_ptr<Transport> transport;
    TlsPeerFacts facts;
};
util::Result<TlsConnected> tls_connect(const TlsContext& context, const TlsTarget& target, util::UniqueFd socket,
                                       util::Deadline deadline, const std::function<bool()>& wants_stop);

}  // namespace net
