// A session of another user than the owner of the store.
#pragma once

#include <string_view>

namespace imapd::engine {

// What his own mailbox process hands on.  A command that is not listed is none here: new ones are to be thought about first.
bool permitted_for_guest(std::string_view verb);

}  // namespace imapd::engine
