// The process as a fork server (libipc/fork_server.h): it stops before anything that is one user's, and forks.
//
// What its processes have in common is what a program has before its main(): one layout of memory.  So usher has one
// server fork a few only, and none that is to have a session: who has logged in gets a process that was started afresh.
#pragma once

#include "libipc/fork_server.h"

#include <span>

namespace mailbox {

// Where a process has its name for ps(1).
struct Title {
    // `from` points to the last argument: its bytes are the title's room.
    explicit Title(char* from);
    void set(std::string_view text) const;

private:
    std::span<char> room_;
};

// Serves usher at the control socket.  True: this is a new mailbox process, which has its own control socket in that
// place, its user's identity, and nothing of the server's but its memory.  False: the server has done its work.
util::Result<bool> fork_for_usher(const ipc::ForkServer& settings, int control);

}  // namespace mailbox
