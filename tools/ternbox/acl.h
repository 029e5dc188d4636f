// ternbox acl: who may do what in a user's mailboxes (RFC 4314).
#pragma once

#include "tools/ternbox/messages.h"

namespace ternbox {

//   list [pattern ...]
//   set mailbox identifier rights     letters; with + or - in front, these more or these fewer
//   delete mailbox identifier
// What these mean decides the user's mailbox process, as for any client.
util::Result<int> acl(ImapSession& session, const Order& order);

}  // namespace ternbox
