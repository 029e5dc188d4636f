// Policies of MTA-STS: what is read can be written and read again, within its limits.
#include "libtrust/sts_policy.h"
#include "libutil/check.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, unsigned long size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    auto policy = trust::parse_sts_policy(text);
    if (!policy.ok())
        return 0;
    CHECK(policy->mx.size() <= trust::max_sts_mx && policy->max_age <= trust::max_sts_age);
    CHECK(policy->mode == trust::StsMode::None || !policy->mx.empty());
    auto again = trust::parse_sts_policy(trust::to_text(*policy));
    CHECK(again.ok() && *again == *policy);
    for (const std::string& pattern : policy->mx)
        CHECK(trust::matches(*policy, pattern.starts_with("*.") ? "a" + pattern.substr(1) : pattern));
    return 0;
}
