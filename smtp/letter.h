// A message on its way to servers, and its recipients.
#pragma once

#include "libipc/delivery.h"
#include "libtrust/tls_policy.h"
#include "libutil/time.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace smtp {

// The content as it is to be sent: pieces with CRLF line ends, without stuffing.
class Source {
public:
    virtual ~Source() = default;
    // Valid until the next call; empty at the end.
    virtual util::Result<std::string_view> next() = 0;
};

struct Letter {
    std::string queue_id;
    std::string sender;              // the path: "<user@example.org>", "<>"
    ipc::Envelope envelope;
    std::uint64_t size = 0;          // bytes, with the end of the last line
    bool eight_bit = false;          // the content has bytes above 127
    bool utf8_header = false;        // so has its header
    bool utf8_sender = false;
    trust::TlsWish wish = trust::TlsWish::None;   // the sender's: None, Optional or Verified
    bool verify = false;             // nothing is sent: would it be taken?
    // All ends by then, however a server fills the time that it has for each single thing.
    util::Deadline end = util::Deadline::never();
    // From the beginning; in 7 bits, for who knows no others.
    std::function<util::Result<std::unique_ptr<Source>>(bool seven_bit)> open;
};

struct Target {
    const ipc::JobRecipient* recipient = nullptr;
    std::string path;                             // "<user@example.org>"
    bool utf8 = false;                            // the path has bytes above 127
    bool forwarded = false;                       // gets the message from an SRS address of ours
    std::optional<ipc::DeliveryStatus> status;    // of the last attempt
    bool last_word = false;                       // no other server is to be asked now
    bool over_limit = false;                      // the server takes it with another transaction
};

}  // namespace smtp
