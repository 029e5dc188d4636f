// The command line of ternsuper(1): postsuper's letters.
#pragma once

#include "libipc/queue_control.h"
#include "libutil/result.h"

#include <string>
#include <vector>

namespace ternsuper {

// One -d, -e, -f, -h, -H or -r; they are done in the order they are given.
struct Action {
    char letter = 0;
    std::string id;  // a queue id, ALL, or "-": ids from standard input
};

struct Options {
    std::string config_directory;  // -c; empty: the built-in one
    bool purge = false;            // -p
    bool structure = false;        // -s
    bool verbose = false;          // -v
    std::vector<Action> actions;
    ipc::QueueSet queues = 0;  // 0: wherever the action makes sense
};

// Invalid: what is wrong, for people.
util::Result<Options> parse_options(int count, char** words);

}  // namespace ternsuper
