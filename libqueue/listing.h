// A message as queue listings show it: read from its file, for qmgr(8) and for ternqueue(1) when
// qmgr is not there.
#pragma once

#include "libipc/queue_control.h"
#include "libqueue/directory.h"
#include "libqueue/reader.h"

namespace queue {

// Bytes of recipients in one item.
constexpr std::size_t listing_item_size = 32 * 1024;
constexpr std::size_t listed_reason_size = 500;

// The items of one message; `recipients`, all that are not done.
std::vector<ipc::QueueItem> split_item(ipc::QueueItem head, std::vector<ipc::QueueItemRecipient> recipients);

// NotFound when the file has gone meanwhile; Invalid when it is damaged.
util::Result<std::vector<ipc::QueueItem>> list_file(const Directory& directory, Place place, const std::string& id);

}  // namespace queue
