// The main.cf(5) parameters of tables(8).
#pragma once

#include "libconf/parameter.h"

namespace tables {

struct Config : conf::Section {
    conf::Words proxy_read_maps{this, "proxy_read_maps",
        "$local_recipient_maps $mydestination $virtual_alias_maps $virtual_alias_domains $virtual_mailbox_maps "
        "$virtual_mailbox_domains $relay_recipient_maps $relay_domains $canonical_maps $sender_canonical_maps "
        "$recipient_canonical_maps $relocated_maps $transport_maps $mynetworks $alias_maps",
        "The tables that are looked into for other programs: those among these words that begin with proxy:."};
    conf::Duration idle_time{this, "tables_idle_time", "1s",
        {.min = std::chrono::milliseconds(1), .max = std::chrono::hours(1)},
        "How long a process of tables(8) waits for a client's next question before it serves others."};
};

}  // namespace tables
