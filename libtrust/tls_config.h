// The parameters of TLS to other servers: smtp_tls_* and lmtp_tls_*, for smtp(8) and tern-tlscheck(1).
#pragma once

#include "libconf/parameter.h"
#include "libutil/text.h"

namespace trust {

// Postfix's levels, and their order.
enum class TlsLevel : std::uint8_t { None, May, Encrypt, Dane, DaneOnly, Fingerprint, Verify, Secure };
std::string_view name_of(TlsLevel level);  // "dane-only"
util::Result<TlsLevel> parse_tls_level(std::string_view name);

enum class CipherGrade : std::uint8_t { Null, Medium, High };

// All parameters are there twice, with the prefix of their protocol, but for the last few.
struct TlsConfig : conf::Section {
    explicit TlsConfig(bool for_lmtp = false) : lmtp(for_lmtp) {}
    void verify(const conf::MainCf& settings, conf::Problems& problems) const override;

    const bool lmtp;

    conf::Choice<TlsLevel> security_level{this, named("security_level"), either("dane", "may"),
        {{"", TlsLevel::None}, {"none", TlsLevel::None}, {"may", TlsLevel::May}, {"encrypt", TlsLevel::Encrypt},
         {"dane", TlsLevel::Dane}, {"dane-only", TlsLevel::DaneOnly}, {"fingerprint", TlsLevel::Fingerprint},
         {"verify", TlsLevel::Verify}, {"secure", TlsLevel::Secure}},
        "How connections to servers are protected, where no table says otherwise.  none: in clear.  may: by TLS where a "
        "server offers it, whoever it is.  encrypt: by TLS, or mail waits.  dane: by TLS and a certificate that the "
        "server's TLSA records vouch for, where DNSSEC proves that it has some, else as may.  dane-only: the same, or "
        "mail waits.  fingerprint: the certificate is a known one.  verify, secure: somebody trusted made the "
        "certificate for a name of the server, or of the destination."};
    conf::TableNames policy_maps{this, named("policy_maps"), "",
        "Tables that say for a destination, or .parent.domain of it, its level, and attributes behind it: match=, "
        "protocols=, ciphers=, exclude=, servername=, connection_reuse=, tafile=."};
    conf::Flag mta_sts{this, named("mta_sts"), either("yes", "no"),
        "Whether policies that domains publish by MTA-STS (RFC 8461) hold for mail to them: where the level is may, "
        "encrypt or dane, no table says otherwise, and DANE does not apply."};
    conf::Flag wrappermode{this, named("wrappermode"), "no",
        "Whether TLS begins before the greeting, as on port 465.  It needs a level of encrypt or above."};
    conf::Duration starttls_timeout{this, either("smtp_starttls_timeout", "lmtp_starttls_timeout"), "300s",
        {.min = std::chrono::seconds(1), .max = std::chrono::hours(24)},
        "How long STARTTLS and the handshake behind it may take."};
    conf::Flag note_starttls_offer{this, named("note_starttls_offer"), "no",
        "Whether the log names servers that offer STARTTLS where TLS is not used."};
    conf::Count loglevel{this, named("loglevel"), "1", {.max = 4},
        "0: nothing of TLS is logged but failures.  1 and above: a line for each connection, with what was agreed on; "
        "2 and above: another where an earlier session was resumed."};
    conf::Flag connection_reuse{this, named("connection_reuse"), "yes",
        "Whether a connection with TLS is kept for the next message to the same destination."};

    conf::Flag tlsrpt_enable{this, either("smtp_tlsrpt_enable", "lmtp_tlsrpt_enable"), "no",
        "Whether sts(8) keeps what became of sessions, for reports to domains that want them (TLS-RPT, RFC 8460)."};

    // --- what is agreed on ---------------------------------------------------------------------------
    conf::Text protocols{this, named("protocols"), ">=TLSv1", {.min = 1, .max = 200},
        "The TLS protocols at level may, such as >=TLSv1.2: an old one is better than none."};
    conf::Text mandatory_protocols{this, named("mandatory_protocols"), ">=TLSv1.2", {.min = 1, .max = 200},
        "The TLS protocols at the levels above may."};
    conf::Choice<CipherGrade> ciphers{this, named("ciphers"), "medium", grades(),
        "The weakest grade of ciphers at level may: high, medium; null is authentication without encryption."};
    conf::Choice<CipherGrade> mandatory_ciphers{this, named("mandatory_ciphers"), "medium", grades(),
        "The weakest grade of ciphers at the levels above may."};
    conf::Words exclude_ciphers{this, named("exclude_ciphers"), "",
        "Ciphers, or OpenSSL's names of kinds of them, that are not used at any level."};
    conf::Words mandatory_exclude_ciphers{this, named("mandatory_exclude_ciphers"), "",
        "The same for the levels above may, in addition."};
    conf::Text servername{this, named("servername"), "", {.max = 255},
        "The name that servers are asked for (SNI): hostname, nexthop, or a name.  Empty: none, but where DANE or "
        "MTA-STS ask for it."};

    // --- what certificates are checked for -------------------------------------------------------------
    conf::Words verify_cert_match{this, named("verify_cert_match"), "hostname",
        "The names that a certificate may have at level verify: hostname (the MX host's), nexthop (the "
        "destination's), dot-nexthop (any below it), names, and .names for any below them."};
    conf::Words secure_cert_match{this, named("secure_cert_match"), "nexthop, dot-nexthop",
        "The same at level secure."};
    conf::Words fingerprint_cert_match{this, named("fingerprint_cert_match"), "",
        "Fingerprints, as AB:CD:..., of the certificates or public keys that servers may have at level fingerprint."};
    conf::Choice<std::string_view> fingerprint_digest{this, named("fingerprint_digest"), "sha256",
        {{"sha256", "sha256"}, {"sha512", "sha512"}, {"sha384", "sha384"}, {"sha1", "sha1"}, {"md5", "md5"}},
        "How fingerprints are computed."};
    conf::Path ca_file{this, named("CAfile"), "/etc/ssl/certs/ca-certificates.crt",
        "A file of certificates in PEM form, of those who are trusted to make certificates for servers.  Empty: only "
        "those of the directory below are."};
    conf::Path ca_path{this, named("CApath"), "",
        "A directory of such certificates, with the names that openssl(1) rehash gives them."};
    conf::Words trust_anchor_file{this, named("trust_anchor_file"), "",
        "Files of certificates and public keys in PEM form, who alone are trusted at the levels verify and secure, in "
        "the place of CAfile and CApath.  They need not be their own authority, nor still valid.  tafile= of a policy "
        "table comes before them."};
    conf::Count scert_verifydepth{this, named("scert_verifydepth"), "9", {.max = 100},
        "How many certificates there may be between a server's and a trusted one."};
    conf::Words chain_files{this, named("chain_files"), "",
        "Files with the keys and certificates, in PEM form, that are shown to servers that ask for one.  They are read "
        "before a process gives up its privileges, so they can be root's."};
    conf::Text session_cache_database{this, named("session_cache_database"), "memory:", {.max = 500},
        "Whether TLS sessions with servers are kept, so that the next connection of a process to the same server under "
        "the same rules resumes one: memory:, or nothing.  Any other name, such as that of a file in a configuration "
        "made for Postfix, means memory:, too: keys of sessions are never written to a disk."};
    conf::Duration session_cache_timeout{this, named("session_cache_timeout"), "3600s",
        {.min = std::chrono::seconds(1), .max = std::chrono::hours(24 * 100)},
        "How long a session can be resumed, and with it what the check of the server's certificate has found."};
    conf::Choice<TlsLevel> dane_insecure_mx_policy{this, named("dane_insecure_mx_policy"),
        either("${{$smtp_tls_security_level} == {dane} ? {dane} : {may}}",
               "${{$lmtp_tls_security_level} == {dane} ? {dane} : {may}}"),
        {{"may", TlsLevel::May}, {"encrypt", TlsLevel::Encrypt}, {"dane", TlsLevel::Dane}},
        "What TLSA records are worth of an MX host that DNSSEC does not prove to be the destination's: may (nothing), "
        "encrypt (there is TLS), dane (the certificate is checked, though an attacker could have named another host)."};

    // --- the same for both protocols ------------------------------------------------------------------
    conf::Text high_cipherlist{this, "tls_high_cipherlist", "aNULL:-aNULL:HIGH:@STRENGTH",
        {.min = 1, .max = 2000}, "OpenSSL's list of ciphers that grade high means, for TLS 1.2 and before."};
    conf::Text medium_cipherlist{this, "tls_medium_cipherlist",
        "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH", {.min = 1, .max = 2000},
        "The same for grade medium."};
    conf::Text null_cipherlist{this, "tls_null_cipherlist", "eNULL:!aNULL",
        {.min = 1, .max = 2000}, "The same for grade null."};

private:
    static conf::Choice<CipherGrade>::Names grades()
    {
        return {{"medium", CipherGrade::Medium}, {"high", CipherGrade::High}, {"null", CipherGrade::Null},
                {"low", CipherGrade::Medium}, {"export", CipherGrade::Medium}};
    }

    std::string named(std::string_view name) const { return util::concat(either("smtp_tls_", "lmtp_tls_"), name); }
    std::string_view either(std::string_view for_smtp, std::string_view for_lmtp) const { return lmtp ? for_lmtp : for_smtp; }
};

}  // namespace trust
