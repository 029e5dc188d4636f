// Lookup: what a search for a destination's servers asks the DNS.  An interface, so that tests can say what is in it, and
// tern-tlscheck(1) what it was answered.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace smtp {

enum class LookupStatus : std::uint8_t {
    Found,
    NoData,       // the name exists, without such records
    NoSuchName,
    TryAgain,     // no answer now
    Malformed,    // an answer that cannot be
    Forged,       // DNSSEC says so
    Filtered,     // there are records, and smtp_dns_reply_filter has left none
};

struct MxHost {
    std::uint16_t preference = 0;
    std::string name;        // empty: null MX (RFC 7505)

    bool operator==(const MxHost&) const = default;
};

struct MxAnswer {
    LookupStatus status = LookupStatus::TryAgain;
    std::vector<MxHost> hosts;
    bool secure = false;     // by DNSSEC, also of an answer that there are none
    std::string canonical;   // the domain behind CNAMEs
    std::string text;        // of a failure: "Host or domain name not found. Name service error for ..."
};

struct SrvHost {
    std::uint16_t priority = 0;
    std::uint16_t weight = 0;
    std::uint16_t port = 0;
    std::string name;        // empty: the service is decidedly not there (RFC 2782)

    bool operator==(const SrvHost&) const = default;
};

struct SrvAnswer {
    LookupStatus status = LookupStatus::TryAgain;
    std::vector<SrvHost> hosts;
    bool secure = false;
    std::string text;
};

struct AddressAnswer {
    LookupStatus status = LookupStatus::TryAgain;
    std::vector<std::string> addresses;   // "192.0.2.1", "2001:db8::1"
    bool secure = false;
    std::string canonical;                // the name behind CNAMEs; empty: the one that was asked for
    bool canonical_secure = false;
    std::string text;
};

class Lookup {
public:
    virtual ~Lookup() = default;
    virtual MxAnswer mx(std::string_view domain) = 0;
    // "_submission._tcp.example.org"
    virtual SrvAnswer srv(std::string_view name) = 0;
    // Of the families in use; all hosts at the same time, an answer for each.
    virtual std::vector<AddressAnswer> addresses(std::span<const std::string> hosts) = 0;
};

}  // namespace smtp
