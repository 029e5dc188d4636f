// What errands(8) and pipe(8) both have to know of the commands that they run.
#pragma once

#include "libconf/parameter.h"

#include <string>
#include <vector>

namespace ipc {

struct CommandConfig : conf::Section {
    conf::Duration command_time_limit{this, "command_time_limit", "1000s",
        {.min = std::chrono::seconds(1), .max = std::chrono::hours(24)},
        "How long a command may run; then it is killed, with all of its process group."};
    conf::Words export_environment{this, "export_environment", "TZ, LANG",
        "Variables of the environment that commands get as they are, or name=value."};

    // As NAME=VALUE.
    std::vector<std::string> environment() const;
};

}  // namespace ipc
