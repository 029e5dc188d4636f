// A message as commands and mailboxes of the system have it (libmail/local_form.h).
#pragma once

#include "libipc/errands.h"
#include "libutil/result.h"

#include <functional>
#include <string>
#include <string_view>

namespace errands {

struct LetterForm {
    bool from_line = true;          // "From sender date" before it
    bool mailbox_file = true;       // ">From " within, an empty line behind
    bool delivered_to = true;       // a Delivered-To: field
};

// The whole letter, in pieces.  `now`: seconds since 1970, for the From line.
using LetterSink = std::function<util::Result<void>(std::string_view piece)>;
util::Result<void> write_letter(const ipc::RunEntry& order, LetterForm form, std::int64_t now, const LetterSink& sink);

}  // namespace errands
