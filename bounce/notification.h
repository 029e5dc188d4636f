// What is told to the sender of a message, as a message.  Decides and composes; sends nothing.
#pragma once

#include "libipc/delivery.h"
#include "libmail/dsn.h"
#include "libutil/time.h"

#include <optional>
#include <string>

namespace bounce {

struct Identity {
    std::string myhostname;
    std::string myorigin;
    std::string double_bounce_sender;
    std::uint64_t size_limit = 50'000;
};

// The longest header that is attached where the message itself is not.
constexpr std::size_t max_attached_header = 256U << 10;

// May anybody be told?  Not the null sender (RFC 5321 §4.5.5), nor double_bounce_sender.
bool has_reader(const ipc::Envelope& envelope, const Identity& identity);

// The content to attach: all of a failed message that is small enough, unless RET=HDRS was asked
// for (RFC 3461 §4.3), else its header.  An unreadable queue file attaches nothing: the sender
// hears of the failure all the same.
struct Attachment {
    std::string content;
    bool full = false;
};
Attachment attachment(const ipc::Notify& order, const Identity& identity);

// The whole notification.  Invalid when the order names no reader or no recipient.
util::Result<std::string> compose(const ipc::Notify& order, const Attachment& attached, const Identity& identity,
                                  std::string_view new_queue_id, util::WallTime now);

// "sender non-delivery notification": for the log, in Postfix's words.
std::string_view name_of(ipc::Notify::Kind kind);

}  // namespace bounce
