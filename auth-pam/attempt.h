// One log-in by way of PAM: what a process of auth-pam(8) does in its short life.
#pragma once

#include "libipc/pam.h"

#include <string>
#include <sys/types.h>

namespace auth_pam {

struct Rules {
    std::string service = "tern";
    std::string directory;      // of PAM's files; empty: the system's
    uid_t minimum_uid = 1000;
    bool session = false;
};

// Asks the system who the user is, and PAM whether it is so.  Root, and uids below the minimum, are
// refused unasked.  PAM gets the password wherever it asks for something that is not shown, and nothing
// else; what it says to the user nobody hears.  It is asked for the account's state, too: an expired
// password is as good as a wrong one.  Calls whatever modules PAM's files name: they may take long, or end
// the process.
ipc::UserChecked attempt(const ipc::CheckUser& wanted, const Rules& rules);

}  // namespace auth_pam
