// Maildir++ as Dovecot and Courier keep it: INBOX in the directory itself, other mailboxes in
// ".Name.Child" (modified UTF-7), flags in file names, keywords in dovecot-keywords, uids in
// dovecot-uidlist.
#pragma once

#include "tools/ternbox/item.h"

#include <functional>
#include <map>

namespace ternbox {

using TakeItem = std::function<util::Result<void>(Item)>;

struct MaildirOptions {
    bool with_uids = false;     // take uids and uid validities from dovecot-uidlist
    std::string into;           // a mailbox name for INBOX's messages; empty: INBOX
};

// Reads a tree; mailboxes in the order of their names.  Files that cannot be read are told in
// `problems` and passed over.
util::Result<void> read_maildir(const std::string& path, const MaildirOptions& options, const TakeItem& take,
                                std::vector<std::string>& problems);

// dovecot-uidlist, version 3.
struct UidList {
    std::uint32_t uid_validity = 0;
    std::uint32_t uid_next = 0;
    std::map<std::string, std::uint32_t, std::less<>> uids;   // by file name up to the colon
};
util::Result<UidList> parse_uidlist(std::string_view text);

// What stands behind ":2," in a file's name: flags, and keywords as letters a to z of the list.
void parse_info(std::string_view name, const std::vector<std::string>& keywords, Item& item);
// The names in dovecot-keywords: "0 name" and so on, at most 26.
std::vector<std::string> parse_keywords(std::string_view text);

// Directory of a mailbox below the root: "" for INBOX, ".Lists.Foo" for Lists/Foo; a dot in a name
// is written &AC4-.
std::string maildir_folder(std::string_view mailbox);
util::Result<std::string> mailbox_of_folder(std::string_view folder);

// Writes a tree, into a directory that does not exist yet.
class MaildirWriter {
public:
    static util::Result<MaildirWriter> create(std::string path);
    util::Result<void> take(const Item& item);
    util::Result<void> finish();

private:
    explicit MaildirWriter(std::string path) : root_(std::move(path)) {}
    util::Result<void> end_mailbox();

    std::string root_;
    std::string folder_;                  // directory of the mailbox being written
    Item mailbox_;
    std::string uidlist_;
    std::vector<std::string> keywords_;
    std::vector<std::string> subscriptions_;
    std::uint32_t count_ = 0;
};

}  // namespace ternbox
