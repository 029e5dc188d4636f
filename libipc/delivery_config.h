// What local(8) and errands(8) both have to know.
#pragma once

#include "libconf/parameter.h"

#include <algorithm>

namespace ipc {

struct DeliveryConfig : conf::Section {
    conf::Words prepend_delivered_header{this, "prepend_delivered_header", "command, file, forward",
        "Where a Delivered-To: field with the recipient is put before a message of local(8): command, file, "
        "forward.  Mailboxes always have it.  Without it loops of forwarding are found late, by hopcount_limit."};

    conf::TableNames virtual_uid_maps{this, "virtual_uid_maps", "",
        "Tables of the uids under which the mailboxes of $virtual_mailbox_maps are written, by address.  Empty: in "
        "virtual mailbox domains there are accounts only."};

    bool prepends(std::string_view where) const
    {
        return std::ranges::find(*prepend_delivered_header, where) != prepend_delivered_header->end();
    }
};

}  // namespace ipc
