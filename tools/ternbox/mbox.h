// mbox, in the form called mboxrd: messages behind "From " lines, with '>' before lines that could
// be taken for one.  Flags stand in Status, X-Status and X-Keywords, as mail readers write them.
#pragma once

#include "tools/ternbox/maildir.h"

namespace ternbox {

// The messages of one file.
util::Result<void> read_mbox(const std::string& path, std::string mailbox, const TakeItem& take);
// All mbox files of a directory tree: each becomes the mailbox of its path; INBOX is "INBOX".
util::Result<void> read_mbox_tree(const std::string& path, const TakeItem& take);

// One message as an mbox holds it, with its "From " line and the empty line behind it.
std::string mbox_message(const Item& item);
// The message behind a "From " line (LF line ends): flags taken out, '>' removed.
Item parse_mbox_message(std::string_view from_line, std::string_view text);

// Writes a file for each mailbox, below a directory that does not exist yet.
class MboxWriter {
public:
    static util::Result<MboxWriter> create(std::string path);
    util::Result<void> take(const Item& item);
    util::Result<void> finish() { return {}; }

private:
    explicit MboxWriter(std::string path) : root_(std::move(path)) {}

    std::string root_;
    util::UniqueFd file_;
};

}  // namespace ternbox
