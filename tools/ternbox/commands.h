// What ternbox does to a store, as its user.  Each prints to standard output and answers the exit
// status; errors are values that the caller prints.
#pragma once

#include "libstore/store.h"
#include "tools/ternbox/item.h"

#include <cstdint>
#include <string>
#include <vector>

namespace ternbox {

util::Result<int> list(store::Store& store);
util::Result<int> list_deleted(store::Store& store);
util::Result<int> check(store::Store& store);
// Gives deleted mail back: all that was expunged at `since` or later (seconds since 1970), from one
// mailbox or (empty) from all, and of that what was there at `existed_at`.
struct Restoration {
    std::string mailbox;
    std::int64_t since = INT64_MIN;
    std::int64_t existed_at = INT64_MAX;
};
util::Result<int> restore(store::Store& store, const Restoration& wanted);
util::Result<int> purge(store::Store& store, bool now);
// The search index in the store's directory: adds what it lacks, after throwing away what there is, or throws it away only.
enum class IndexWork : unsigned char { Complete, Anew, Remove };
util::Result<int> index(store::Store& store, const std::string& directory, IndexWork work);
// Shows the limits of mailboxes; or fixes those of one, so that its user cannot change them: "1G" or "none", "1000" or
// "none".  With two "none" it has none, and the user may set some.
util::Result<int> show_limits(store::Store& store);
util::Result<int> limit(store::Store& store, const std::string& mailbox, const std::string& storage,
                        const std::string& messages);
// Sends the mailboxes (all, if none is named) as items.
util::Result<int> send_mail(store::Store& store, const std::vector<std::string>& mailboxes, int fd);
// Takes items in.  `adopt`: uids and uid validities are kept; the mailboxes must be fresh.
util::Result<int> receive_mail(store::Store& store, bool adopt, int fd);

}  // namespace ternbox
