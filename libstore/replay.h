// One record of the log into the state.
#pragma once

#include "libstore/snapshot.h"

namespace store {

// Decodes the record and applies it; what it touches is loaded from the snapshot first.  False: the
// record is malformed, or of a type that this release does not know and may not pass over.  Error: the snapshot is damaged.
util::Result<bool> replay_frame(State& state, const Frame& frame, std::uint32_t segment,
                                const Snapshot* snapshot);

}  // namespace store
