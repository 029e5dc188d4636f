// tern start, start-fg, check and set-permissions: they run master(8).
#pragma once

#include "tools/tern/instance.h"

namespace tern {

// Starts master(8) in a session of its own and waits until it says that all sockets are open.
// Prints what it reports; the exit status.
int start(const Instance& instance, bool verbose);
// Becomes master(8) in the foreground.
int start_in_foreground(const Instance& instance, bool verbose);
// Runs the checks of configuration; 0 or EX_CONFIG.
int check(const Instance& instance);
// Makes the directories of the instance and sets owners and modes.
int set_permissions(const Instance& instance);

void print(int fd, std::string_view text);
// "tern: TEXT" to standard error; gives the status back.
int complain(int status, std::string_view text);

}  // namespace tern
