// Changes by hand to messages that nobody works on: for qmgr(8), and for tools while it does not run.
#pragma once

#include "libipc/queue_control.h"
#include "libqueue/directory.h"

#include <span>

namespace queue {

// Queues as ipc::QueueChange names them, by bits; `active` is qmgr's memory, and no place of files.
constexpr ipc::QueueSet set_of(Place place) { return static_cast<ipc::QueueSet>(1U << static_cast<unsigned>(place)); }
constexpr ipc::QueueSet active_queue = 1U << all_places.size();
constexpr ipc::QueueSet all_queues = (1U << (all_places.size() + 1)) - 1;
// Where mail waits: all but the corrupt queue.
constexpr ipc::QueueSet waiting_queues = all_queues & static_cast<ipc::QueueSet>(~set_of(Place::Corrupt));

// Invalid: a word that is the name of no queue.  No words: an empty set.
util::Result<ipc::QueueSet> parse_queues(std::span<const std::string> names);

// Changes one message in one of `queues`; answers where it was.  Before anything is changed the file is locked,
// as qmgr locks what it takes up.  NotFound: no such message there, or (Release) none on hold.  Temporary: it is
// being delivered.  `reason` goes into the story of a message that is held.
util::Result<Place> change_file(const Directory& directory, const std::string& id, ipc::QueueChange::Kind kind,
                                ipc::QueueSet queues, const std::string& reason);

}  // namespace queue
