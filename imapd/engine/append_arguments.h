// The arguments of APPEND and REPLACE: RFC 9051 §6.3.12, MULTIAPPEND (RFC 3502), CATENATE (RFC 4469),
// literal8 (RFC 3516 §4.4), UTF8 (RFC 6855 §4), REPLACE (RFC 8508 §3.2).
#pragma once

#include "imapd/engine/flag_list.h"
#include "imapd/syntax/scanner.h"
#include "libstore/types.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imapd::engine {

constexpr std::size_t max_append_messages = 1000;
constexpr std::size_t max_append_parts = 1000;    // of one CATENATE

// A piece of a message: bytes in the command, or what a URL names.
struct AppendPart {
    std::string_view bytes;
    bool binary = false;         // ~{..}
    bool is_url = false;
    std::string url;
};

struct AppendMessage {
    FlagList flags;
    std::optional<store::Date> date;
    bool catenated = false;
    std::vector<AppendPart> parts;
};

struct AppendArguments {
    std::optional<syntax::SequenceSet> replaced;   // REPLACE: the one message
    std::string mailbox;
    std::vector<AppendMessage> messages;
};

// What a literal that was announced, but not read, is going to be.
enum class LiteralUse : unsigned char { Mailbox, Message, Text, Url };

// Everything after the command's name.  With `announced` the command ends in the announcement of a
// literal: reading stops there, and it says what for.
// Invalid: syntax; Permanent: APPEND has more than `message_limit` messages (RFC 9738), if that is not above
// max_append_messages.
util::Result<AppendArguments> parse_append(syntax::Scanner& arguments, bool replace, std::size_t message_limit,
                                           LiteralUse* announced = nullptr);

}  // namespace imapd::engine
