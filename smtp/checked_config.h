// CheckedConfig: the parameters with what their types cannot say: ports, destinations, addresses.
#pragma once

#include "smtp/config.h"

namespace smtp {

struct CheckedConfig : Config {
    using Config::Config;
    void verify(const conf::MainCf& settings, conf::Problems& problems) const override;
};

}  // namespace smtp
