// A message on its way to mailboxes: read once, shared by all its recipients.
#pragma once

#include "libipc/submission.h"
#include "libutil/result.h"
#include "libutil/unique_fd.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace local {

// Larger headers are not searched to their end for Delivered-To fields.
constexpr std::size_t max_searched_header = 256U << 10;

struct Message {
    std::string content;            // with patches applied; empty when `shared` holds it
    util::UniqueFd shared;          // a sealed memfd for messages over content_piece_size
    std::uint64_t size = 0;
    std::vector<std::string> delivered_to;   // the addresses of its Delivered-To fields

    // Has this address had the message before?  Local parts compare without regard to case, as
    // Postfix does: better no loop than two users who differ in case only.
    bool was_delivered_to(std::string_view address) const;
};

// Reads the content of a queue file, and its envelope.  Invalid when the file is torn or rotten; Temporary when it
// cannot be read now.
util::Result<Message> load_message(int queue_file, ipc::Envelope& envelope);

// The trace fields of final delivery (RFC 5321 §4.4; RFC 9228), with line ends.
std::string trace_prefix(std::string_view sender, std::string_view original, std::string_view recipient);

}  // namespace local
