// ternuser quota: limits of accounts and domains, and what is used of them.
#pragma once

#include "libconf/quota_config.h"
#include "tools/ternuser/book.h"
#include "tools/ternuser/options.h"

namespace ternuser {

struct QuotaContext {
    const Options& options;
    const conf::Common& common;
    const conf::QuotaConfig& defaults;
    UidRange range;
};

// Changes what the options say, tells the mail system, and shows.  Invalid, NotFound: no such name.
util::Result<void> quota(const QuotaContext& context);

}  // namespace ternuser
