// The main.cf(5) parameters of bounce(8).
#pragma once

#include "libipc/notices.h"

namespace bounce {

struct Config : ipc::QueueTimes {
    conf::Size size_limit{this, "bounce_size_limit", "50000", {.max = std::uint64_t(1) << 30},
        "How large a message may be that goes back whole with the notice of its failure; of a larger "
        "one the header goes back."};
    conf::Path template_file{this, "bounce_template_file", "",
        "The file with the words of notices, in the form of bounce(5).  Empty: those that are built in.  A "
        "template with a mistake is replaced by the built-in one, and logged; tern check refuses it."};
};

}  // namespace bounce
