// What a queue file says of a message, as values: shared by Writer and Reader.
#pragma once

#include "libipc/submission.h"

#include <cstdint>
#include <string>

namespace queue {

// A change to the content: `length` bytes at `offset` are left out, `replacement` stands there.
// Patches are sorted by offset and do not overlap; several may insert at one place, in order.
struct Patch {
    std::uint64_t offset = 0;
    std::uint32_t length = 0;
    std::string replacement;
};

// What cleanup knows at the end of the content.
struct Summary {
    bool eight_bit = false;         // the content has bytes above 127
    bool expanded = false;          // some recipient came from an alias or a bcc
    std::string message_id;         // of the header, with its angle brackets; or empty
    std::uint64_t body_offset = 0;  // in the content as received: behind the empty line
    bool tls_optional = false;      // it says TLS-Required: No (RFC 8689 §3)
    // Orders of content filters, access(5) and header_checks(5).
    bool hold = false;              // to the hold queue, until it is released
    std::string content_filter;     // transport:destination, whatever the recipients' own route is
    std::string redirect;           // one recipient instead of all

    static void fields(auto& message, auto& visit)
    {
        visit("eight_bit", message.eight_bit);
        visit("expanded", message.expanded);
        visit("message_id", message.message_id);
        visit("body_offset", message.body_offset);
        visit("tls_optional", message.tls_optional);
        visit("hold", message.hold);
        visit("content_filter", message.content_filter);
        visit("redirect", message.redirect);
    }
};

struct RecipientEntry {
    ipc::Recipient recipient;
    bool done = false;
    std::uint64_t mark_offset = 0;   // in the file
};

}  // namespace queue
