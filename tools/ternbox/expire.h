// Old mail goes, as mailbox_expire says.
#pragma once

#include "tools/ternbox/user.h"

namespace ternbox {

// By usher(8), which has the user's mailbox process do it; where that is not to be had, here and now.
// Answers the exit status.
util::Result<int> expire(const std::string& config_directory, const User& user, const std::string& account,
                         const Patience& patience, bool json);

}  // namespace ternbox
