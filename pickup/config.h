// The parameters of pickup(8).
#pragma once

#include "libconf/parameter.h"

namespace pickup {

struct Config : conf::Section {
    conf::Duration timeout{this, "pickup_timeout", "30s",
        {.min = std::chrono::seconds(1), .max = std::chrono::hours(1)},
        "How long pickup(8) waits for a local person's sendmail(1) to hand over more of its message."};
    conf::Text content_filter{this, "content_filter", "", {.max = 1000},
        "transport:destination: where all messages go first, whatever their recipients' route; without "
        "destination it is the recipient's domain.  What comes back through another smtpd(8) service must "
        "not be filtered again: -o content_filter= there."};
    conf::Words receive_override_options{this, "receive_override_options", "",
        "What is not done to messages: no_address_mappings (canonical, virtual, masquerading, automatic "
        "copies), no_header_body_checks (header_checks(5) and its kin), no_unknown_recipient_checks "
        "(smtpd_reject_unlisted_recipient).  For services before and behind a content filter, by -o in "
        "master.cf(5)."};
};

}  // namespace pickup
