// What a URL names, for CATENATE (RFC 4469 §3) and URLFETCH (RFC 4467 §7): what FETCH would give of that message.
#pragma once

#include "imapd/engine/message_content.h"
#include "imapd/syntax/imap_url.h"
#include "libmail/imap_render.h"

#include <optional>
#include <string>
#include <string_view>

namespace imapd::engine {

// "1.2.HEADER.FIELDS (A B)", as FETCH reads it between its brackets.
util::Result<mail::Section> parse_url_section(std::string_view text);

// The bytes that a URL names in a message that is open: of the message, or in `text`; they hold while both stay as they
// are.  `binary`: with the transfer encoding of a part undone (RFC 5524 §3.2).  Invalid: there is no such section;
// Permanent: the encoding is not known, or the message cannot be read.
util::Result<std::string_view> url_bytes(MessageContent& message, const syntax::MessageUrl& url, bool binary,
                                         std::string& text);

// BODYPARTSTRUCTURE (RFC 5259 §8.2, RFC 5524 §3.2) of what url_bytes() gives.  Invalid: a part, or all, has one, a
// header has none.
util::Result<std::string> url_structure(MessageContent& message, const syntax::MessageUrl& url, bool binary);

}  // namespace imapd::engine
