// The parameters of pickup(8).
#pragma once

#include "libconf/parameter.h"

namespace pickup {

struct Config : conf::Section {
    conf::Duration timeout{this, "pickup_timeout", "30s",
        {.min = std::chrono::seconds(1), .max = std::chrono::hours(1)},
        "How long pickup(8) waits for a local person's sendmail(1) to hand over more of its message."};
};

}  // namespace pickup
