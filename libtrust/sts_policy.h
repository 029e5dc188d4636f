// MTA-STS (RFC 8461): the TXT record that says a domain has a policy, and the policy.
#pragma once

#include "libutil/result.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trust {

enum class StsMode : std::uint8_t { None, Testing, Enforce, last_ = Enforce };
std::string_view name_of(StsMode mode);  // "testing"

constexpr std::size_t max_sts_policy = 64 * 1024;     // bytes, as RFC 8461 §3.3 suggests
constexpr std::size_t max_sts_record = 4096;          // bytes of a TXT record
constexpr std::size_t max_sts_mx = 500;               // patterns of a policy
constexpr std::uint32_t max_sts_age = 31'557'600;     // seconds: RFC 8461 §3.2

struct StsPolicy {
    StsMode mode = StsMode::None;
    std::uint32_t max_age = 0;     // seconds that it holds after it was fetched
    std::vector<std::string> mx;   // "mail.example.com", "*.example.com"; lower case

    bool operator==(const StsPolicy&) const = default;
};

// The id= of a TXT record of _mta-sts.DOMAIN.  Invalid: it is none, or broken (RFC 8461 §3.1).
util::Result<std::string> parse_sts_record(std::string_view text);
// Of all TXT records there: NotFound when none is for MTA-STS, Invalid when there are several or it is broken.
util::Result<std::string> find_sts_record(std::span<const std::string> records);

// A policy file of at most max_sts_policy bytes.  Invalid: what is wrong with it (RFC 8461 §3.2).
util::Result<StsPolicy> parse_sts_policy(std::string_view text);
// The file that parse_sts_policy() reads back.
std::string to_text(const StsPolicy& policy);

// Whether a host is one of the policy's (RFC 8461 §4.1); case does not count.
bool matches(const StsPolicy& policy, std::string_view host);

// Is the media type of a policy text/plain, with whatever parameters?
bool is_policy_type(std::string_view content_type);

}  // namespace trust
