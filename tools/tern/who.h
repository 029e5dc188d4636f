// tern who and tern kick.
#pragma once

#include "tools/tern/instance.h"

#include <map>
#include <string>

namespace tern {

// Sessions of all services and the users' mailbox processes; the exit status.
int who(const Instance& instance, int count, char** words);
// Adds to the number of sessions of each service; answers how many mailbox processes there are.
util::Result<std::size_t> count_sessions(const Instance& instance, std::map<std::string, std::uint64_t>& sessions);
// Ends sessions: of an account, or one by the name that who gives it.
int kick(const Instance& instance, int count, char** words);

}  // namespace tern
