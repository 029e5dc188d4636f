// tern srs: secrets and addresses of the Sender Rewriting Scheme.
#pragma once

#include "tools/tern/instance.h"

namespace tern {

// The exit status.
int srs(const Instance& instance, int count, char** words);

}  // namespace tern
