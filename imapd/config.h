// The main.cf(5) parameters of imapd(8): those of a door, named imapd_*.
#pragma once

#include "libipc/door_config.h"

namespace imapd {

struct Config : ipc::DoorConfig {
    Config() : DoorConfig("imapd", 993, "3.2") {}
};

}  // namespace imapd
