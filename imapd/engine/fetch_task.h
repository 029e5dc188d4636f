// The work of FETCH, and the answers of STORE and of SELECT with QRESYNC.
#pragma once

#include "imapd/engine/fetch_items.h"
#include "imapd/engine/session.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imapd::engine {

// How a FETCH or STORE ended.
enum class End : unsigned char {
    Normal,
    Missing,     // some messages were expunged by another session, the client does not know it yet
    Unreadable,  // some bytes could not be read
    Silent,      // nobody asked (NOTIFY): there is no answer
    UnknownCte,  // BINARY of a part whose transfer encoding is not known (RFC 3516 §4.3)
};

struct FetchOrder {
    std::vector<IndexRange> ranges;
    FetchItems items;
    std::optional<store::Lsn> changed_since;   // only messages with a higher modseq
    std::string verb = "FETCH";
    std::string code;                          // "[MODIFIED 7] ", before the text of the answer
    std::string limited;                       // message_limit_code(): these are the highest, and go from there down
    End end = End::Normal;
};

std::unique_ptr<Task> make_fetch_task(Session& session, FetchOrder order);
// The tagged answer.
void end_fetch(Session& session, const FetchOrder& order);

}  // namespace imapd::engine
