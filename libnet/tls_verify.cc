// What a server's certificate is worth, once the handshake is done.
#include "libnet/tls_client.h"
#include "libnet/tls_internal.h"
#include "libutil/text.h"

#include <algorithm>
#include <openssl/x509v3.h>

namespace net {

namespace {

constexpr std::size_t max_name_length = 255;

void free_alternatives(GENERAL_NAMES* names) { GENERAL_NAMES_free(names); }
using Alternatives = util::Handle<GENERAL_NAMES, free_alternatives>;

std::string text_of(const X509_NAME* name, int field)
{
    char text[max_name_length + 1];
    int length = X509_NAME_get_text_by_NID(name, field, text, sizeof text);
    return length > 0 ? std::string(text, std::size_t(length)) : std::string();
}

std::vector<std::string> alternative_names(const X509* certificate)
{
    std::vector<std::string> found;
    Alternatives names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    if (!names)
        return found;
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()) && found.size() < TlsPeerFacts::max_names; ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type != GEN_DNS)
            continue;
        const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
        auto length = std::size_t(ASN1_STRING_length(name->d.dNSName));
        found.emplace_back(text, std::min(length, max_name_length));
    }
    return found;
}

TlsFailure failure_of(long result)
{
    switch (result) {
    case X509_V_OK:
        return TlsFailure::None;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return TlsFailure::Expired;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        return TlsFailure::NotTrusted;
    case X509_V_ERR_HOSTNAME_MISMATCH:
        return TlsFailure::NameMismatch;
    case X509_V_ERR_DANE_NO_MATCH:
        return TlsFailure::TlsaMismatch;
    case X509_V_ERR_CERT_REVOKED:
        return TlsFailure::Revoked;
    default:
        return TlsFailure::Other;
    }
}

void failed(TlsPeerFacts& facts, TlsFailure failure, std::string text)
{
    facts.failure = failure;
    facts.failure_text = std::move(text);
}

std::string joined(const std::vector<std::string>& words, std::size_t most = 5)
{
    std::string text;
    for (std::size_t i = 0; i < words.size() && i < most; ++i)
        util::append(text, i ? ", " : "", util::printable(words[i], max_name_length));
    return words.size() > most ? text + ", .." : text;
}

void check_names(X509* certificate, const TlsTarget& target, TlsPeerFacts& facts)
{
    unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    if (target.alternative_names_only)
        flags |= X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    for (const std::string& name : target.names) {
        if (name.empty())
            continue;
        char* found = nullptr;
        if (X509_check_host(certificate, name.data(), name.size(), flags, &found) == 1) {
            facts.status = PeerStatus::Verified;
            facts.matched = found ? found : name;
            OPENSSL_free(found);
            return;
        }
    }
    auto has = facts.names;
    if (has.empty() && !facts.common_name.empty() && !target.alternative_names_only)
        has.push_back(facts.common_name);
    failed(facts, TlsFailure::NameMismatch,
           util::concat("the certificate is for ", has.empty() ? "no host" : joined(has), ", not for ", joined(target.names)));
}

void check_fingerprints(const TlsTarget& target, TlsPeerFacts& facts)
{
    for (const std::string& wanted : target.fingerprints) {
        for (const std::string* has : {&facts.certificate, &facts.key}) {
            if (has->empty() || !util::equal_nocase(*has, wanted))
                continue;
            facts.status = PeerStatus::Verified;
            facts.matched = *has;
            return;
        }
    }
    failed(
        facts, TlsFailure::FingerprintMismatch,
        util::concat("neither the certificate's fingerprint ", facts.certificate, " nor its key's ", facts.key, " is known"));
}

void check_dane(SSL* connection, const TlsTarget& target, TlsPeerFacts& facts)
{
    long result = SSL_get_verify_result(connection);
    facts.status = PeerStatus::Untrusted;  // trust comes from the records, and from nobody else
    if (result != X509_V_OK || SSL_get0_dane_authority(connection, nullptr, nullptr) < 0) {
        TlsFailure failure = result == X509_V_OK ? TlsFailure::TlsaMismatch : failure_of(result);
        // A chain that no record vouches for is what OpenSSL calls untrusted.
        if (failure == TlsFailure::NotTrusted)
            failure = TlsFailure::TlsaMismatch;
        if (failure == TlsFailure::TlsaMismatch)
            return failed(facts, failure, "the certificate matches no TLSA record");
        if (failure == TlsFailure::NameMismatch)
            return failed(facts, failure,
                          util::concat("the certificate is for ", joined(facts.names), ", not for ", joined(target.names)));
        return failed(facts, failure, X509_verify_cert_error_string(result));
    }
    facts.status = PeerStatus::Verified;
    TlsaRecord record;
    const unsigned char* data = nullptr;
    std::size_t size = 0;
    constexpr std::size_t shown = 8;  // bytes: enough to tell records apart
    if (SSL_get0_dane_tlsa(connection, &record.usage, &record.selector, &record.matching, &data, &size) >= 0) {
        record.data.assign(reinterpret_cast<const char*>(data), size);
        facts.matched = util::concat("TLSA ", to_text(record, shown));
    }
}

void check_anchors(SSL* connection, const TlsTarget& target, TlsPeerFacts& facts)
{
    long result = SSL_get_verify_result(connection);
    bool vouched = result == X509_V_OK && SSL_get0_dane_authority(connection, nullptr, nullptr) >= 0;
    const char* name = SSL_get0_peername(connection);
    if (vouched && name) {
        facts.status = PeerStatus::Verified;
        facts.matched = name;
        return;
    }
    // Without a name to look for none was found.
    TlsFailure failure = vouched                                                     ? TlsFailure::NameMismatch
                         : result == X509_V_OK || result == X509_V_ERR_DANE_NO_MATCH ? TlsFailure::NotTrusted
                                                                                     : failure_of(result);
    facts.status = failure == TlsFailure::NameMismatch ? PeerStatus::Trusted : PeerStatus::Untrusted;
    if (failure == TlsFailure::NotTrusted)
        return failed(facts, failure, "no trust anchor vouches for the certificate");
    if (failure == TlsFailure::NameMismatch)
        return failed(facts, failure,
                      util::concat("the certificate is for ", facts.names.empty() ? "no host" : joined(facts.names),
                                   ", not for ", joined(target.names)));
    failed(facts, failure, X509_verify_cert_error_string(result));
}

// "ECDSA (P-256)", "RSA-PSS (2048 bits)", "X25519", as Postfix calls keys.
std::string key_text(EVP_PKEY* key, std::string_view ec_name, std::string_view rsa_name)
{
    int type = EVP_PKEY_get_base_id(key);
    if (type == EVP_PKEY_EC) {
        char group[80];
        std::size_t length = 0;
        if (EVP_PKEY_get_group_name(key, group, sizeof group, &length) != 1)
            return std::string(ec_name);
        std::string_view name(group, length);
        if (name == "prime256v1")
            name = "P-256";
        else if (name == "secp384r1")
            name = "P-384";
        else if (name == "secp521r1")
            name = "P-521";
        return util::concat(ec_name, " (", name, ')');
    }
    if (type == EVP_PKEY_RSA || type == EVP_PKEY_RSA_PSS || type == EVP_PKEY_DH)
        return util::concat(type == EVP_PKEY_DH ? "DHE" : rsa_name, " (", EVP_PKEY_get_bits(key), " bits)");
    const char* name = OBJ_nid2sn(type);
    return name ? name : "unknown";
}

std::string details_of(SSL* connection, X509* certificate)
{
    std::string text;
    if (SSL_version(connection) < TLS1_3_VERSION)
        return text;  // the cipher's name says it all
    EVP_PKEY* exchange = nullptr;
    if (SSL_get_peer_tmp_key(connection, &exchange) == 1) {
        detail::Key owned(exchange);
        util::append(text, "key-exchange ", key_text(exchange, "ECDHE", "RSA"));
    }
    int signature = 0, digest = 0;
    if (certificate && SSL_get_peer_signature_type_nid(connection, &signature) == 1) {
        std::string_view rsa = signature == EVP_PKEY_RSA_PSS ? "RSA-PSS" : "RSA";
        if (EVP_PKEY* key = X509_get0_pubkey(certificate))
            util::append(text, text.empty() ? "" : " ", "server-signature ", key_text(key, "ECDSA", rsa));
    }
    if (certificate && SSL_get_peer_signature_nid(connection, &digest) == 1 && digest != NID_undef)
        util::append(text, text.empty() ? "" : " ", "server-digest ", OBJ_nid2sn(digest));
    return text;
}

}  // namespace

std::string_view name_of(PeerStatus status)
{
    switch (status) {
    case PeerStatus::Anonymous:
        return "Anonymous";
    case PeerStatus::Untrusted:
        return "Untrusted";
    case PeerStatus::Trusted:
        return "Trusted";
    case PeerStatus::Verified:
        return "Verified";
    }
    return "unknown";
}

std::string TlsPeerFacts::summary() const
{
    return util::concat(agreed.protocol, " with cipher ", agreed.cipher, " (", agreed.cipher_bits, '/',
                        agreed.algorithm_bits, " bits)", details.empty() ? "" : " ", details);
}

bool detail::has_anchors(const TlsTarget& target) { return target.check == TlsCheck::Names && !target.anchors.empty(); }

TlsPeerFacts detail::peer_facts(SSL* connection, const TlsTarget& target)
{
    TlsPeerFacts facts;
    facts.agreed = common_facts(connection);
    facts.agreed.server_name = target.server_name;
    X509* certificate = SSL_get0_peer_certificate(connection);
    facts.details = details_of(connection, certificate);
    if (!certificate) {
        if (target.check != TlsCheck::None)
            failed(facts, TlsFailure::NoCertificate, "the server showed no certificate");
        return facts;
    }
    const EVP_MD* digest = EVP_get_digestbyname(target.fingerprint_digest.c_str());
    facts.certificate = certificate_fingerprint(certificate, digest ? digest : EVP_sha256());
    facts.key = key_fingerprint(certificate, digest ? digest : EVP_sha256());
    facts.names = alternative_names(certificate);
    facts.common_name = text_of(X509_get_subject_name(certificate), NID_commonName);
    facts.issuer = text_of(X509_get_issuer_name(certificate), NID_commonName);
    if (facts.issuer.empty())
        facts.issuer = text_of(X509_get_issuer_name(certificate), NID_organizationName);

    if (target.check == TlsCheck::Dane) {
        check_dane(connection, target, facts);
        return facts;
    }
    if (detail::has_anchors(target)) {
        check_anchors(connection, target, facts);
        return facts;
    }
    long result = SSL_get_verify_result(connection);
    facts.status = result == X509_V_OK ? PeerStatus::Trusted : PeerStatus::Untrusted;
    if (target.check == TlsCheck::Fingerprints)
        check_fingerprints(target, facts);
    else if (result != X509_V_OK)
        failed(facts, failure_of(result), X509_verify_cert_error_string(result));
    else if (target.check == TlsCheck::Names)
        check_names(certificate, target, facts);
    return facts;
}

}  // namespace net
