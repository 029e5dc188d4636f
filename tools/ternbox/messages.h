// What ternbox does with messages and mailboxes over an IMAP session, while the user's clients go on.
#pragma once

#include "tools/ternbox/imap_session.h"

#include <string>
#include <vector>

namespace ternbox {

struct Order {
    std::string command;                // search, fetch, move, ...
    std::string account;                // whose mail it is; of a store that is named by its path, empty
    std::vector<std::string> words;     // behind the user
    bool json = false;
    std::int64_t now = 0;               // seconds since 1970
};

bool is_session_command(std::string_view command);

// Does it, prints to standard output, and answers the exit status.  EX_USAGE as a status: the words
// are not those of the command; errors as ImapSession::command() has them.
util::Result<int> run_session_command(ImapSession& session, const Order& order);

}  // namespace ternbox
