// tern unblock.
#pragma once

#include "tools/tern/instance.h"

namespace tern {

// Forgets the failed log-ins of a network or an account, or all; the exit status.
int unblock(const Instance& instance, int count, char** words);

}  // namespace tern
