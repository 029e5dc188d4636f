// The file of domains' quotas, and sizes as people type them: what is read is written back as the same.
#include "libconf/quota.h"
#include "libutil/check.h"
#include "libutil/text.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    auto all = conf::parse_domain_quotas(util::concat(conf::quotas_version_line, bytes));
    if (all.ok()) {
        auto again = conf::parse_domain_quotas(conf::format_domain_quotas(*all));
        CHECK(again.ok() && *again == *all);
        for (const auto& entry : *all)
            (void)entry.second.all().or_else(entry.second.each());
    }
    auto number = conf::parse_quota_size(bytes);
    if (number.ok() && *number != conf::no_limit)
        CHECK(*number >= 1 && *number <= conf::max_quota && *conf::parse_quota_number(util::concat(*number)) == *number);
    return 0;
}
