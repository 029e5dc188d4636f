// The quotas of main.cf(5), for usher(8), which has them kept, and for those that ask whether there are any.
#pragma once

#include "libconf/parameter.h"

namespace conf {

struct QuotaConfig : Section {
    Size quota_bytes{this, "mailbox_quota_bytes", "0", {.max = std::uint64_t(1) << 60},
        "How many bytes of mail a user may have for whom ternuser(1) quota says nothing, nor for the domain; 0 is no limit."};
    Count quota_messages{this, "mailbox_quota_messages", "0", {.max = std::uint64_t(1) << 60},
        "How many messages such a user may have; 0 is no limit."};
    Count quota_mailboxes{this, "mailbox_quota_mailboxes", "0", {.max = 10'000},
        "How many mailboxes such a user may have; 0 is no limit but 10000, which holds for everybody."};
};

}  // namespace conf
