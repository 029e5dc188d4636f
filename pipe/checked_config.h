// CheckedConfig: the parameters of pipe(8), with the words of the service's line in master.cf.
#pragma once

#include "pipe/config.h"
#include "pipe/service.h"

namespace piping {

struct CheckedConfig : Config {
    // Fills in `service`, whose name is there already, as far as master.cf says it.
    CheckedConfig(const std::vector<std::string>& words, Service& service)
        : Config(service.name), words_(words), service_(service)
    {
    }
    void verify(const conf::MainCf& settings, conf::Problems& problems) const override;
    void check(const conf::MainCf& settings, conf::Problems& problems) const override;

private:
    void find_user(const conf::MainCf& settings, conf::Problems& problems) const;

    std::vector<std::string> words_;
    Service& service_;
};

}  // namespace piping
