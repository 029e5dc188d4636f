// The parameters of the process skeleton, beside those of conf::Common.
#pragma once

#include "libconf/parameter.h"

namespace server {

struct Config : conf::Section {
    conf::Count landlock_abi_limit{this, "landlock_abi_limit", "1000", {.min = 1, .max = 1000},
        "The newest Landlock ABI whose rights are used: for tests of what older kernels protect."};
};

}  // namespace server
