// Postfix's policy delegation protocol (SMTPD_POLICY_README): lines name=value, an empty line at the end,
// from both sides; the answer is action=, with what access(5) allows at the right of a table.
#pragma once

#include "libutil/result.h"
#include "libutil/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace smtpd {

constexpr std::size_t max_policy_answer = 8192;      // bytes, all lines together
constexpr std::size_t max_policy_attributes = 100;   // in an answer

// One server as check_policy_service names it, with what it says beside that; the rest main.cf says.
struct PolicySpec {
    bool local = false;            // unix:
    std::string host;              // of inet:; empty for this machine
    std::string port;              // a number
    std::string path;              // of unix:, relative to the queue directory unless it begins with a slash
    std::optional<util::Duration> timeout, max_idle, max_ttl, retry_delay;
    std::optional<std::uint64_t> request_limit, try_limit;
    std::optional<std::string> default_action, policy_context;
};

// "inet:host:port", "inet:[2001:db8::1]:port", "unix:path", or "{ inet:host:port, timeout=10s,
// default_action=DUNNO }".  Invalid: what is wrong with it.
util::Result<PolicySpec> parse_policy_spec(std::string_view argument);

// Requests, line by line.  A value's control bytes become '?': it cannot end its line.
class PolicyRequest {
public:
    void add(std::string_view name, std::string_view value);
    void add(std::string_view name, std::uint64_t value);
    // With the empty line.
    std::string take();

private:
    std::string text_;
};

// The action of an answer without its empty line.  Invalid: a line that is no attribute, none or two
// actions, bytes that could not stand in a reply.
util::Result<std::string> parse_policy_answer(std::string_view text);

}  // namespace smtpd
