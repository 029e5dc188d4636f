// The work of FETCH, and the answer of STORE.
#pragma once

#include "imapd/engine/fetch_items.h"
#include "imapd/engine/session.h"

#include <memory>
#include <string_view>
#include <vector>

namespace imapd::engine {

// How a FETCH or STORE ended.
enum class End : unsigned char {
    Normal,
    Missing,    // some messages were expunged by another session, the client does not know it yet
    Unreadable, // some bytes could not be read
};
void end_fetch(Session& session, std::string_view verb, End end);

std::unique_ptr<Task> make_fetch_task(Session& session, std::vector<IndexRange> ranges,
                                      FetchItems items);
// FLAGS of the messages, then the answer to `verb`.
std::unique_ptr<Task> make_flags_task(Session& session, std::vector<IndexRange> ranges,
                                      std::string_view verb, End end);

}  // namespace imapd::engine
