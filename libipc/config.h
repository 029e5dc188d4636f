// The parameters of the process skeleton, beside those of conf::Common.
#pragma once

#include "libconf/parameter.h"

namespace server {

struct Config : conf::Section {
    conf::Count landlock_abi_limit{this, "landlock_abi_limit", "1000", {.min = 1, .max = 1000},
        "The newest Landlock ABI whose rights are used: for tests of what older kernels protect."};
    conf::Size data_limit{this, "daemon_data_limit", "1073741824", {.min = 64U << 20, .max = std::uint64_t(1) << 40},
        "How many bytes of memory a daemon may take for its data.  One that needs more ends, and master(8) starts it "
        "anew.  Processes of mailbox(8) have $mailbox_data_limit."};
};

}  // namespace server
