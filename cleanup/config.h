// The main.cf(5) parameters of cleanup(8).
#pragma once

#include "libconf/parameter.h"

namespace cleanup {

struct Config : conf::Section {
    conf::Size memory_limit{this, "cleanup_memory_limit", "65536", {.max = 16U << 20},
        "A message of up to this size is held in memory until it is delivered or must be named; a "
        "larger one goes to a nameless file in the incoming queue as it comes."};
    conf::Count hopcount_limit{this, "hopcount_limit", "50", {.min = 1, .max = 100'000},
        "A message with more Received: fields is returned: it is in a loop."};
    conf::Size header_size_limit{this, "header_size_limit", "102400", {.min = 1000, .max = 16U << 20},
        "How long one header field may be; what is beyond is left out."};
    conf::Size queue_minfree{this, "queue_minfree", "0", {.max = std::uint64_t(1) << 50},
        "While less than this is free in the queue's file system, mail is refused for the time being.  "
        "0 sets no bound."};
    conf::Flag replace_stray_cr_lf{this, "cleanup_replace_stray_cr_lf", "yes",
        "Whether a CR that no LF follows, or a LF that no CR precedes, becomes a space: such bytes look "
        "like line ends to some and not to others."};
    conf::Words message_drop_headers{this, "message_drop_headers", "bcc, content-length, resent-bcc, return-path",
        "Header fields that are left out of messages."};
    conf::Flag always_add_missing_headers{this, "always_add_missing_headers", "no",
        "Whether From:, Date:, Message-ID: and, where undisclosed_recipients_header asks for it, To: are "
        "added to every message that lacks them, not to those of one's own clients only."};
    conf::Text undisclosed_recipients_header{this, "undisclosed_recipients_header", "",
        "The field that is added where To:, Cc: and Bcc: are missing, such as "
        "\"To: undisclosed-recipients:;\".  Empty: none."};
    conf::Count recipient_limit{this, "cleanup_recipient_limit", "50000", {.min = 100, .max = 200'000},
        "How many recipients a message may have once its aliases are expanded."};
    conf::Flag sync_directory{this, "queue_directory_sync", "yes",
        "Whether the incoming directory is synced after a file got its name there."};
};

}  // namespace cleanup
