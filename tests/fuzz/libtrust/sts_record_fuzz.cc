// TXT records of MTA-STS: an id is what RFC 8461 §3.1 says, however the record came.
#include "libtrust/sts_policy.h"
#include "libutil/check.h"
#include "libutil/text.h"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, unsigned long size)
{
    std::string text(reinterpret_cast<const char*>(data), size);
    auto id = trust::parse_sts_record(text);
    const std::string records[] = {"v=spf1 -all", text};
    auto found = trust::find_sts_record(records);
    CHECK(!found.ok() || (id.ok() && *found == *id));
    if (id.ok())
        CHECK(!id->empty() && id->size() <= 32 && std::ranges::all_of(*id, util::is_alnum));
    return 0;
}
