// smtp(8), tern-tlscheck(1) -> sts(8): which policy a domain has published by MTA-STS (RFC 8461).
//
// A connection carries questions one after the other.  An answer may take as long as a fetch does
// (sts_timeout), and some seconds for the DNS.
#pragma once

#include "libipc/wire.h"

namespace ipc {

struct StsQuestion {
    static constexpr std::string_view message_name = "sts-question";
    std::string domain;       // lower case, A-labels

    static void fields(auto& message, auto& visit) { visit("domain", message.domain); }
};

struct StsReply {
    static constexpr std::string_view message_name = "sts-reply";
    enum class Result : std::uint8_t { Found, None, last_ = None };
    Result result = Result::None;
    std::string policy;       // the policy file's fields that count (trust::parse_sts_policy)
    std::string id;
    std::int64_t fetched = 0; // seconds since 1970
    // What went wrong on the way, also if an older policy holds: RFC 8460 §4.3's word, and a text.
    std::string failure;
    std::string text;

    static void fields(auto& message, auto& visit)
    {
        visit("result", message.result);
        visit("policy", message.policy);
        visit("id", message.id);
        visit("fetched", message.fetched);
        visit("failure", message.failure);
        visit("text", message.text);
    }
};

// What became of sessions of one kind, for reports to the domain (RFC 8460); names are those of its section 4.4.
struct TlsResult {
    std::uint32_t count = 1;            // sessions
    std::string policy_type;            // tlsa, sts, no-policy-found
    std::string policy_domain;
    std::vector<std::string> policy_strings;
    std::vector<std::string> mx_hosts;  // patterns of a policy of MTA-STS
    std::string result_type;            // success, or a word of section 4.3
    std::string sending_ip;
    std::string receiving_mx;
    std::string receiving_ip;
    std::string text;                   // of a failure, printable

    static void fields(auto& message, auto& visit)
    {
        visit("count", message.count);
        visit("policy_type", message.policy_type);
        visit("policy_domain", message.policy_domain);
        visit("policy_string", message.policy_strings);
        visit("mx_host", message.mx_hosts);
        visit("result_type", message.result_type);
        visit("sending_ip", message.sending_ip);
        visit("receiving_mx", message.receiving_mx);
        visit("receiving_ip", message.receiving_ip);
        visit("text", message.text);
    }
    bool operator==(const TlsResult&) const = default;
};

// smtp(8) -> sts(8), who keeps them as far as there is room.  Nothing answers.
struct TlsResults {
    static constexpr std::string_view message_name = "tls-results";
    std::vector<TlsResult> results;

    static void fields(auto& message, auto& visit) { visit("result", message.results); }
};

}  // namespace ipc
