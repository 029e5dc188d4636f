// The parameter imapd_discard_capabilities.
#pragma once

#include "libconf/parameter.h"
#include "libipc/capability_rule.h"

namespace ipc {

constexpr std::size_t max_capability_rules = 100;

// "UIDONLY NOTIFY, client=*Outlook* MOVE, user=anna@example.org COMPRESS=DEFLATE".
class CapabilityRules : public conf::Value<std::vector<CapabilityRule>> {
public:
    using Value::Value;
    std::string type() const override { return "capabilities, some behind user=PATTERN or client=PATTERN"; }
    util::Result<std::vector<CapabilityRule>> parse(std::string_view text) const override;
};

}  // namespace ipc
