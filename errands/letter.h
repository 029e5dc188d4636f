// A message as commands and mailboxes of the system have it: lines that end with LF, trace fields in
// front, and for mailbox files a From line before and an empty line behind.
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

// What stands before the content.  `now`: seconds since 1970, for the From line.
std::string letter_head(const ipc::RunEntry& order, LetterForm form, std::int64_t now);

// Lines of the content, CRLF to LF; where `quote`, those that begin with "From " get a ">" before.
class LetterFilter {
public:
    explicit LetterFilter(bool quote) : quote_(quote) {}
    void feed(std::string_view bytes, std::string& out);
    // The end of a last line that has none.
    void finish(std::string& out);

private:
    void put(std::string_view bytes, std::string& out);
    void flush_start(std::string& out);

    bool quote_;
    bool after_cr_ = false;
    bool in_line_ = false;
    std::string start_;   // of a line that may become "From "
};

// The whole letter, in pieces.
using LetterSink = std::function<util::Result<void>(std::string_view piece)>;
util::Result<void> write_letter(const ipc::RunEntry& order, LetterForm form, std::int64_t now, const LetterSink& sink);

}  // namespace errands
