// Names of mailboxes, by patterns of LIST.
#pragma once

#include "tools/ternbox/imap_session.h"

#include <string>
#include <string_view>
#include <vector>

namespace ternbox {

struct Listed {
    std::string name;
    std::vector<std::string> attributes;

    bool has(std::string_view attribute) const;
};

// Can it stand in quotes, as a name or as another string?
bool is_line(std::string_view text);

// A name, or an identifier, as a line for people has it: as it is, or, if a terminal would obey something in it or it
// would break the line, as util::printable() has it.  Who may write the store can call a mailbox what he likes.
std::string shown(std::string_view name);

// Sorted, each once.
util::Result<std::vector<Listed>> list_mailboxes(ImapSession& session, const std::vector<std::string>& patterns);
// Those that can be selected; without names, the user's own.  NotFound when a name without wildcards is no mailbox.
util::Result<std::vector<Listed>> mailboxes_of(ImapSession& session, const std::vector<std::string>& names);

}  // namespace ternbox
