// tern who and tern kick.
#pragma once

#include "tools/tern/instance.h"

namespace tern {

// Sessions of all services and the users' mailbox processes; the exit status.
int who(const Instance& instance, int count, char** words);
// Ends sessions: of an account, or one by the name that who gives it.
int kick(const Instance& instance, int count, char** words);

}  // namespace tern
