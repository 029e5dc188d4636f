// Service: what one line of master.cf wants of pipe(8), ready for use.
#pragma once

#include "libutil/time.h"
#include "libutil/user.h"
#include "pipe/attributes.h"

#include <string>
#include <vector>

namespace piping {

struct Service {
    std::string name;                      // in master.cf: the transport
    Attributes attributes;
    util::User user;                       // without a name: no groups but its gid
    util::UserRules rules;
    std::string nobody;                    // why nothing can be run: there is no such user
    util::Duration time_limit{};
    std::vector<std::string> environment;  // of commands, as NAME=VALUE
    std::string queue_directory;           // where commands begin, without directory=
    std::string recipient_delimiter;
};

}  // namespace piping
