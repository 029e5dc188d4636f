// TLS policy: what a connection to one host of one destination must be like, and what came of it.
//
// Pure: whoever delivers gives what the DNS said of the host, and two functions that look up TLSA records and
// the destination's MTA-STS policy when they are needed.
//
//   auto decision = policy.decide(host, {tlsa, sts});
//   if (decision.refusal) ...                         // nothing may be sent to this host now
//   ... EHLO; no STARTTLS:  policy_of(decision, TlsTrouble::NotOffered, "", ..) -> a refusal, or go on in clear
//   stream.start_tls_client(context, decision.target) -> judge(decision, facts) -> a refusal, or go on
#pragma once

#include "libconf/table.h"
#include "libnet/tls_client.h"
#include "libtrust/sts_policy.h"
#include "libtrust/tls_site.h"
#include "libutil/time.h"

#include <functional>
#include <optional>

namespace trust {

// One host of a destination, as the DNS gave it.  Names are in lower case, A-labels, without a dot at the end.
struct TlsHost {
    std::string nexthop;          // as in the job: "example.com", "[mail.example.com]:587"
    std::string domain;           // the nexthop's without brackets and port
    std::string name;             // the MX host's, or the domain itself
    std::string address;          // for texts: "192.0.2.1"; may be empty
    std::uint16_t port = 25;
    bool by_mx = false;           // MX or SRV records were looked up for the nexthop, whether or not there were any
    bool by_srv = false;          // SRV records: no policy of MTA-STS is about these hosts
    bool mx_secure = false;       // that answer was validated
    std::string mx_name;          // `domain` behind its CNAMEs
    bool addresses_secure = false;  // the answer with the host's addresses was validated
    std::string address_name;     // `name` behind its CNAMEs
    bool alias_secure = false;    // all of those CNAMEs were validated
};

struct TlsaAnswer {
    enum class Status : std::uint8_t { Found, None, Failed };  // Failed: no answer, a forged or broken one
    Status status = Status::None;
    bool secure = false;          // validated; what is not counts for nothing
    std::vector<net::TlsaRecord> records;
    std::string text;             // of Failed
};

struct StsAnswer {
    enum class Status : std::uint8_t {
        Found,
        None,
        Failed,  // whether there is a policy cannot be said now
    };
    Status status = Status::None;
    StsPolicy policy;
    std::string id;
    std::string text;             // of Failed
};

struct TlsLookups {
    std::function<TlsaAnswer(const std::string& host, std::uint16_t port)> tlsa;
    std::function<StsAnswer(const std::string& domain)> sts;
    // What tafile= names: read_trust_anchors().
    std::function<util::Result<std::vector<net::TlsaRecord>>(const std::string& path)> anchors;
};

// Why nothing is sent to a host, in Postfix's words.
struct TlsRefusal {
    std::string dsn;              // "4.7.5"; "5.7.10": what REQUIRETLS asks for cannot be had from this host
    std::string text;             // one line; text from outside is escaped
    bool operator==(const TlsRefusal&) const = default;
};

// Whose word the policy is (RFC 8460 §4.4, policy-type).
enum class PolicySource : std::uint8_t { Local, Tlsa, Sts };

// What the sender wishes (RFC 8689).
enum class TlsWish : std::uint8_t {
    None,
    Optional,   // TLS-Required: No: mail arrives, whatever the recipient's domain publishes
    Encrypted,  // REQUIRETLS, where it is enough for us that there is TLS
    Verified,   // REQUIRETLS: to a host that is proved to be the domain's, and proves to be that
};

struct TlsDecision {
    TlsLevel level = TlsLevel::None;     // that holds for this host
    std::optional<TlsRefusal> refusal;   // before any connection
    net::TlsTarget target;
    bool wrappermode = false;            // TLS before the greeting
    bool connection_reuse = true;
    PolicySource source = PolicySource::Local;
    bool testing = false;                // MTA-STS testing: failures are told, and nothing follows from them
    std::string why;                     // "TLSA records of mail.example.com", "smtp_tls_security_level"
    std::string problem;                 // for the log: a broken table entry, and so on
    StsPolicy sts;                       // PolicySource::Sts
    std::vector<net::TlsaRecord> tlsa;   // PolicySource::Tlsa
    std::string policy_domain;           // for reports
    TlsWish wish = TlsWish::None;

    bool encrypts() const { return level != TlsLevel::None; }
    bool mandatory() const { return level > TlsLevel::May; }
    bool authenticates() const { return level > TlsLevel::Encrypt; }
    // A refusal is for good, as far as this host is concerned (RFC 8689 §4.2.1).
    bool required() const { return wish >= TlsWish::Encrypted; }
};

class TlsPolicy {
public:
    // Reads the files of smtp_tls_trust_anchor_file.  Invalid: a table's name, a file of these.  The policy does not
    // outlive its config.
    static util::Result<TlsPolicy> open(const TlsConfig& config);

    TlsDecision decide(const TlsHost& host, const TlsLookups& lookups, TlsWish wish = TlsWish::None);
    const TlsConfig& config() const { return config_; }

private:
    explicit TlsPolicy(const TlsConfig& config) : config_(config) {}
    util::Result<TlsSite> site_of(std::string_view nexthop);
    void try_dane(const TlsHost& host, const TlsLookups& lookups, TlsDecision& decision) const;
    void try_sts(const TlsHost& host, const TlsLookups& lookups, TlsDecision& decision) const;
    void use_records(const TlsHost& host, const std::string& base, TlsaAnswer answer, TlsDecision& decision) const;
    static void require(const TlsHost& host, TlsDecision& decision);
    void complete(const TlsSite& site, const TlsHost& host, TlsDecision& decision) const;
    void add_anchors(const TlsSite& site, const TlsLookups& lookups, TlsDecision& decision) const;

    const TlsConfig& config_;
    conf::Tables tables_;
    std::vector<net::TlsaRecord> anchors_;
};

// Host names that match= or a parameter's words stand for: hostname, nexthop, dot-nexthop, or themselves.
std::vector<std::string> tls_match_names(const std::vector<std::string>& words, const TlsHost& host);

// OpenSSL's cipher list of a grade without the excluded ones.
std::string cipher_list(const TlsConfig& config, CipherGrade grade, const std::vector<std::string>& excluded);

// --- what came of it (tls_verdict.cc) -----------------------------------------------------------------

enum class TlsTrouble : std::uint8_t {
    NotOffered,  // EHLO's reply has no STARTTLS
    Refused,     // a reply to STARTTLS that is not 220
    Handshake,   // it failed, or timed out, or the connection was lost in it
};

// How old a message must be before mail at level may goes in clear after a handshake failed: whoever disturbs
// one handshake must not get it in clear for that (Postfix waits as long as minimal_backoff_time is by default).
constexpr util::Duration clear_retry_age = std::chrono::seconds(300);

struct TlsCircumstances {
    util::Duration age{};        // since the message's arrival
    bool credentials = false;    // the session will log in: never in clear by accident
    bool for_now = false;        // the connection was lost, the server took too long, or said 4xx
};

// Nothing: mail may go to this host in clear (after Refused and Handshake on a new connection).
std::optional<TlsRefusal> in_clear(const TlsDecision& decision, TlsTrouble trouble, const TlsHost& host,
                                   std::string_view text, const TlsCircumstances& circumstances);

// After the handshake.  Nothing: mail may be sent.
std::optional<TlsRefusal> judge(const TlsDecision& decision, const net::TlsPeerFacts& facts);

// "mail.example.com[192.0.2.1]:25"
std::string log_name(const TlsHost& host);
// "Verified TLS connection established to mail.example.com[192.0.2.1]:25: TLSv1.3 with cipher ..."
std::string connection_line(const TlsHost& host, const net::TlsPeerFacts& facts);
// How a connection was protected, and why: "dane (TLSA records of mail.example.com): verified by TLSA 3 1 1 8cb0..";
// "may (smtp_tls_security_level): in clear, STARTTLS is not offered".  `facts` may be null; then `text` says why.
std::string protection(const TlsDecision& decision, const net::TlsPeerFacts* facts, std::string_view text = {});

}  // namespace trust
