// The main.cf(5) parameters of bounce(8).
#pragma once

#include "libconf/parameter.h"

namespace bounce {

struct Config : conf::Section {
    conf::Size size_limit{this, "bounce_size_limit", "50000", {.max = std::uint64_t(1) << 30},
        "How large a message may be that goes back whole with the notice of its failure; of a larger "
        "one the header goes back."};
    conf::Text double_bounce_sender{this, "double_bounce_sender", "double-bounce", {.min = 1, .max = 256},
        "The name of a sender to whom no notification is ever written, with or without a domain."};
};

}  // namespace bounce
