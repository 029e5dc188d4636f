// DNSSEC by ourselves: the chain of signatures from the root's trust anchor to an answer (RFC 4035 §5).
//
// Records of the chain are fetched from the same servers; each zone's keys are kept for their time.
#pragma once

#include "libnet/dns_exchange.h"
#include "libnet/dns_outcome.h"
#include "libnet/dns_proof.h"

#include <map>

namespace net::dns {

constexpr unsigned max_chain_queries = 100;    // for one question
constexpr std::size_t max_kept_zones = 500;    // whose keys are remembered
constexpr std::uint32_t max_zone_ttl = 3600;   // seconds for which they are

enum class Security : std::uint8_t {
    Secure,
    Insecure,  // an ancestor says, signed, that what is below is not
    Bogus,
    Unknown,   // the chain could not be fetched now
};

class Validator {
public:
    using Fetch = std::function<std::vector<Exchanged>(std::span<const Question>)>;

    explicit Validator(std::vector<LdnsRecord> anchors, Clocks clocks)
        : anchors_(std::move(anchors)), clocks_(std::move(clocks))
    {
    }

    // Sets secure, secure_name and a shorter ttl of an outcome that is outcome_of(question, message); or makes it
    // Bogus, or TryAgain where the chain could not be fetched.  `fetch` asks with QueryOptions::dnssec.
    void judge(const Question& question, std::string_view wire, Outcome& outcome, const Fetch& fetch);

    void forget() { zones_.clear(); }

private:
    // The zone that a name belongs to, as far as the chain goes.
    struct Zone {
        Security security = Security::Unknown;
        ZoneKeys keys;    // of a secure one
        std::string why;  // of Bogus and Unknown
        util::Instant expires;
    };
    using ZonePointer = std::shared_ptr<const Zone>;  // many names below a zone have the same

    // One question's work.
    class Work;
    friend class Work;

    std::vector<LdnsRecord> anchors_;
    Clocks clocks_;
    std::map<std::string, ZonePointer, std::less<>> zones_;  // by name: the zone that it is in
};

}  // namespace net::dns
