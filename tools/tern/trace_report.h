// What tern trace prints.
#pragma once

#include "libipc/queue_control.h"
#include "tools/tern/tracer.h"

#include <map>

namespace tern {

// A message that is still in the queue.
struct QueuedState {
    ipc::QueueItem item;                              // its first part
    std::vector<ipc::QueueItemRecipient> recipients;  // of all parts
};
using QueuedStates = std::map<std::string, QueuedState, std::less<>>;

// `known`: the queue could be looked at.
std::string trace_to_text(const TracedMessage& message, const QueuedState* queued, bool known);
std::string trace_to_json(const TracedMessage& message, const QueuedState* queued, bool known);
std::string refusal_to_text(const TraceEvent& refusal);
std::string refusal_to_json(const TraceEvent& refusal);

}  // namespace tern
