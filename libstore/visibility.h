// What of a mailbox sessions may show: arrivals beyond Store::visible() are in Mailbox::entries
// already, but a client must not hear of them yet.
#pragma once

#include "libstore/store.h"

namespace store {

// The number of entries, from the front, that may be shown.
std::size_t visible_end(const Mailbox& mailbox, Lsn horizon);
// UIDNEXT as it may be shown: the uid of the first arrival that is not visible yet.
std::uint32_t visible_uid_next(const Mailbox& mailbox, std::size_t visible);

// A number that is another one when the list of mailboxes or the subscriptions are others.
std::uint64_t list_fingerprint(const Store& store);

}  // namespace store
