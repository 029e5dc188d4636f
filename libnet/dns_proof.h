// What the signatures in one message prove, given a zone's keys (RFC 4035 §5, RFC 5155 §8): pure functions over bytes
// from outside, by LDNS.
#pragma once

#include "libnet/dns_message.h"

#include <memory>

struct ldns_struct_rr;
struct ldns_struct_rdf;

namespace net::dns {

struct FreeRecord {
    void operator()(ldns_struct_rr* record) const;
};
using LdnsRecord = std::unique_ptr<ldns_struct_rr, FreeRecord>;

constexpr unsigned max_nsec3_iterations = 100;  // RFC 9276 §3.2; with more, names count as unsigned
constexpr std::size_t max_zone_keys = 20;       // of one zone; more are refused
constexpr unsigned max_verifications = 64;      // signatures checked for one question

// A zone's keys, which are trusted.
struct ZoneKeys {
    std::string zone;  // "" for the root
    std::vector<LdnsRecord> keys;
};

// What limits the work for one question, and when it is.
struct ProofBounds {
    util::WallTime now;
    unsigned verifications = max_verifications;  // what is left
};

// A set of records whose signature is good.
struct ProvenSet {
    unsigned labels = 0;    // of the name that was signed: fewer than the owner has if a wildcard made it
    std::uint32_t ttl = 0;  // at most this long, in seconds (RFC 4035 §5.3.3)
};

enum class Denial : std::uint8_t {
    None,        // nothing is proven
    NoSuchName,
    NoData,
    Delegation,  // only for DS: another zone begins there, and it is not signed
    Unsigned,    // nothing can be proven here: an opt-out span, or too many iterations
};

class SignedMessage {
public:
    // Invalid like decode().
    static util::Result<SignedMessage> parse(std::string_view wire);

    bool has(std::string_view owner, std::uint16_t type) const;
    // Zones whose keys have signed the set, by the signatures' word, at most four.
    std::vector<std::string> signers(std::string_view owner, std::uint16_t type) const;
    // The zone that denies: the first signer of an NSEC or NSEC3 record.
    std::optional<std::string> denying_zone() const;
    // The set, if one of its signatures is good.
    std::optional<ProvenSet> prove(std::string_view owner, std::uint16_t type, const ZoneKeys& keys, ProofBounds& bounds) const;
    // For a set that a wildcard made: is there no name between it and the wildcard (RFC 4035 §5.3.4)?
    Denial deny_closer(std::string_view owner, unsigned labels, const ZoneKeys& keys, ProofBounds& bounds) const;
    Denial deny(std::string_view name, std::uint16_t type, const ZoneKeys& keys, ProofBounds& bounds) const;

    // What the CNAME of `owner` says, where the answer has one.
    std::optional<std::string> alias_of(std::string_view owner) const;
    // The owner of a DNAME record that makes this CNAME (RFC 6672 §2.2).
    std::optional<std::string> redirection_of(std::string_view owner) const;

    // The zone's DS records in this message that we can check, the strongest digest only (RFC 4509 §3).
    std::vector<LdnsRecord> usable_ds(std::string_view zone) const;
    // The zone's keys in this message, if one that a trusted DS or DNSKEY record names has signed them.
    std::optional<ZoneKeys> keys_by(std::string_view zone, const std::vector<LdnsRecord>& trusted, ProofBounds& bounds) const;

private:
    std::vector<ldns_struct_rr*> set(const ldns_struct_rdf* owner, std::uint16_t type) const;
    std::vector<ldns_struct_rr*> signatures(const ldns_struct_rdf* owner, std::uint16_t type) const;
    std::optional<ProvenSet> prove(const ldns_struct_rdf* owner, std::uint16_t type, const ZoneKeys& keys,
                                   ProofBounds& bounds) const;
    // NSEC or NSEC3 records with good signatures of this zone.
    std::vector<ldns_struct_rr*> denials(std::uint16_t type, const ZoneKeys& keys, ProofBounds& bounds) const;

    std::vector<LdnsRecord> records_;  // of the answer and authority sections
};

// Records of a trust anchor file: DS or DNSKEY of the root, one on a line, as in a zone file; `;` begins a comment.
// Invalid: the line that is none, or there is none that we can use.
util::Result<std::vector<LdnsRecord>> parse_trust_anchor(std::string_view text);

}  // namespace net::dns
