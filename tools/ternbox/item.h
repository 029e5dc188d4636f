// What goes between the process that reads or writes files for the caller and the one that works on
// the store as the user: mailboxes, each followed by its messages, over a socket pair.
#pragma once

#include "libstore/types.h"
#include "libutil/result.h"
#include "libutil/unique_fd.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ternbox {

constexpr std::size_t max_item_size = (1U << 30) + (1U << 20);

struct Item {
    enum class Kind : std::uint8_t { Mailbox = 1, Message = 2, End = 3 };

    Kind kind = Kind::Message;
    std::string mailbox;               // Mailbox: its name
    std::uint32_t uid_validity = 0;    // Mailbox: 0 = not known
    std::uint32_t uid_next = 0;
    bool subscribed = false;
    std::uint32_t uid = 0;             // Message: 0 = not known
    store::Flags flags = 0;
    std::vector<std::string> keywords;
    store::Date date;
    std::string content;               // CRLF line ends
    std::string source;                // Message: what to call it in an error
};

util::Result<void> send_item(int fd, const Item& item);
// nullopt at the end of the stream.
util::Result<std::optional<Item>> receive_item(int fd);

// Line ends: LF alone becomes CRLF, and back (every CRLF becomes LF).
std::string with_crlf(std::string_view text);
std::string with_lf(std::string_view text);

}  // namespace ternbox
