// Files of the policy store: what is read is written the same way.
#include "libutil/check.h"
#include "sts/policy_store.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, unsigned long size)
{
    auto entry = sts::parse_entry({reinterpret_cast<const char*>(data), size});
    if (!entry.ok())
        return 0;
    CHECK(trust::may_have_sts(entry->domain));
    if (entry->failed == 0)
        entry->failed_id.clear(), entry->failure = trust::StsFailure::None;
    if (!entry->policy)
        entry->id.clear(), entry->fetched = 0;
    auto again = sts::parse_entry(sts::to_text(*entry));
    CHECK(again.ok() && *again == *entry);
    return 0;
}
