// XFORWARD: telling a content filter behind us where a message came from (Postfix's XFORWARD_README).
#pragma once

#include "libipc/submission.h"
#include "libmail/ehlo.h"

#include <string>
#include <vector>

namespace smtp {

constexpr std::size_t max_xforward_line = 512;   // with CRLF; a command of more attributes is split

// The commands, with those attributes that the server takes; none when it takes none.
std::vector<std::string> xforward_commands(const ipc::Envelope& envelope, const mail::ServerExtensions& server);

}  // namespace smtp
