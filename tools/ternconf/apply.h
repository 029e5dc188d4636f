// ternconf: from an edit on the command line to the file.
#pragma once

#include "libutil/result.h"
#include "tools/ternconf/options.h"

namespace ternconf {

// Edits main.cf or master.cf and replaces the file, whole and synced, with the permissions it has.
// Nothing is written when any request is wrong: a name that is none, a value that its parameter
// does not take, a service that master.cf could not be read with.
util::Result<void> apply_edit(const Options& options);

}  // namespace ternconf
