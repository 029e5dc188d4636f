#include "libtrust/tls_policy.h"
#include "tests/unit/suite.h"

namespace {

using net::PeerStatus;
using trust::TlsDecision;
using trust::TlsLevel;
using trust::TlsTrouble;

const trust::TlsHost host{
    .nexthop = "example.com", .domain = "example.com", .name = "mail.example.net", .address = "192.0.2.1"};

TlsDecision decision_at(TlsLevel level)
{
    TlsDecision decision;
    decision.level = level;
    decision.why = "because";
    return decision;
}

TEST(in_clear_only_where_it_may_be)
{
    auto late = trust::clear_retry_age;
    auto young = late - std::chrono::microseconds(1);
    struct Case {
        TlsLevel level;
        TlsTrouble trouble;
        trust::TlsCircumstances circumstances;
        const char* dsn;  // empty: in clear
    };
    for (const Case& c : {Case{TlsLevel::May, TlsTrouble::NotOffered, {}, ""}, Case{TlsLevel::May, TlsTrouble::Refused, {}, ""},
                          Case{TlsLevel::May, TlsTrouble::Refused, {.credentials = true}, "4.7.4"},
                          Case{TlsLevel::May, TlsTrouble::Handshake, {.age = young}, "4.7.5"},
                          Case{TlsLevel::May, TlsTrouble::Handshake, {.age = late}, ""},
                          Case{TlsLevel::May, TlsTrouble::Handshake, {.age = late, .credentials = true}, "4.7.5"},
                          Case{TlsLevel::Encrypt, TlsTrouble::NotOffered, {.age = late}, "4.7.4"},
                          Case{TlsLevel::Encrypt, TlsTrouble::Refused, {.age = late}, "4.7.4"},
                          Case{TlsLevel::Dane, TlsTrouble::Handshake, {.age = late}, "4.7.5"},
                          Case{TlsLevel::Secure, TlsTrouble::Handshake, {.age = late}, "4.7.5"}}) {
        auto refusal = trust::in_clear(decision_at(c.level), c.trouble, host, "a\nb", c.circumstances);
        EQ(refusal ? refusal->dsn : "", c.dsn);
    }
    auto text = [](TlsTrouble trouble) {
        return trust::in_clear(decision_at(TlsLevel::Encrypt), trouble, host, "454 a\nb", {})->text;
    };
    EQ(text(TlsTrouble::NotOffered), "TLS is required, but was not offered by host mail.example.net[192.0.2.1]");
    EQ(text(TlsTrouble::Refused), "TLS is required, but host mail.example.net[192.0.2.1] refused to start TLS: 454 a\\012b");
    EQ(text(TlsTrouble::Handshake), "Cannot start TLS: handshake failure: 454 a\\012b");
    // With REQUIRETLS what is wrong with the host is for good, and what may pass is not (RFC 8689 §4.2.1).
    TlsDecision required = decision_at(TlsLevel::Encrypt);
    required.wish = trust::TlsWish::Encrypted;
    for (TlsTrouble trouble : {TlsTrouble::Refused, TlsTrouble::Handshake}) {
        EQ(trust::in_clear(required, trouble, host, "", {})->dsn, "5.7.10");
        EQ(trust::in_clear(required, trouble, host, "", {.for_now = true})->dsn,
           trouble == TlsTrouble::Refused ? "4.7.4" : "4.7.5");
    }
    EQ(trust::in_clear(required, TlsTrouble::NotOffered, host, "", {})->dsn, "5.7.10");
    required.level = TlsLevel::Verify;
    EQ(trust::judge(required, {})->dsn, "5.7.10");
    TlsDecision wrapped = decision_at(TlsLevel::May);
    wrapped.wrappermode = true;
    THAT(trust::in_clear(wrapped, TlsTrouble::Handshake, host, "", {.age = late}).has_value());
}
END_TEST

TEST(judges_certificates)
{
    struct Case {
        TlsLevel level;
        PeerStatus status;
        const char* text;  // empty: good
    };
    for (const Case& c : {Case{TlsLevel::May, PeerStatus::Anonymous, ""}, Case{TlsLevel::Encrypt, PeerStatus::Untrusted, ""},
                          Case{TlsLevel::Verify, PeerStatus::Verified, ""}, Case{TlsLevel::Dane, PeerStatus::Verified, ""},
                          Case{TlsLevel::Verify, PeerStatus::Trusted, "Server certificate not verified: why"},
                          Case{TlsLevel::Secure, PeerStatus::Untrusted, "Server certificate not trusted: why"},
                          Case{TlsLevel::DaneOnly, PeerStatus::Untrusted, "Server certificate not trusted: why"},
                          Case{TlsLevel::Dane, PeerStatus::Anonymous, "Server certificate not trusted: why"},
                          Case{TlsLevel::Fingerprint, PeerStatus::Untrusted, "Server certificate not verified: why"}}) {
        net::TlsPeerFacts facts;
        facts.status = c.status;
        facts.failure_text = "why";
        auto refusal = trust::judge(decision_at(c.level), facts);
        EQ(refusal ? refusal->text : "", c.text);
        if (refusal)
            EQ(refusal->dsn, "4.7.5");
    }
    TlsDecision testing = decision_at(TlsLevel::Secure);
    testing.testing = true;
    THAT(!trust::judge(testing, {}).has_value());
}
END_TEST

TEST(tells_what_there_was)
{
    net::TlsPeerFacts facts;
    facts.agreed.protocol = "TLSv1.3";
    facts.agreed.cipher = "TLS_AES_256_GCM_SHA384";
    facts.agreed.cipher_bits = facts.agreed.algorithm_bits = 256;
    facts.status = PeerStatus::Untrusted;
    facts.failure_text = "self-signed certificate";
    EQ(trust::connection_line(host, facts), "Untrusted TLS connection established to mail.example.net[192.0.2.1]:25: "
                                            "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)");
    EQ(trust::protection(decision_at(TlsLevel::May), &facts),
       "may (because): encrypted, not authenticated (self-signed certificate)");
    facts.status = PeerStatus::Verified;
    facts.matched = "a\nb";
    EQ(trust::protection(decision_at(TlsLevel::Dane), &facts), "dane (because): verified by a\\012b");
    EQ(trust::protection(decision_at(TlsLevel::May), nullptr, "STARTTLS is not offered"),
       "may (because): in clear, STARTTLS is not offered");
}
END_TEST

}  // namespace

SUITE(tls_verdict, in_clear_only_where_it_may_be, judges_certificates, tells_what_there_was)
