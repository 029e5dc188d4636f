// CheckedConfig: the parameters with what their types cannot say: of SRS, and the addresses of proxies.
#pragma once

#include "librouting/config.h"

namespace routing {

struct CheckedConfig : Config {
    void verify(const conf::MainCf& settings, conf::Problems& problems) const override;
    void check(const conf::MainCf& settings, conf::Problems& problems) const override;
};

}  // namespace routing
