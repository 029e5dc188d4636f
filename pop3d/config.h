// The main.cf(5) parameters of pop3d(8): those of a door, named pop3d_*.
#pragma once

#include "libipc/door_config.h"

namespace pop3d {

struct Config : ipc::DoorConfig {
    Config() : DoorConfig("pop3d", 995, "3.1") {}
};

}  // namespace pop3d
