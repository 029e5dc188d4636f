// CheckedConfig: the parameters of smtpd(8) with the restriction lists read, so that what is wrong
// in them is told with file and line like every other mistake.
#pragma once

#include "smtpd/config.h"
#include "smtpd/restriction_list.h"

namespace smtpd {

struct CheckedConfig : Config {
    // The lists go to `lists` when the parameters are read.
    explicit CheckedConfig(RestrictionLists& lists) : lists_(lists) {}
    void verify(const conf::MainCf& settings, conf::Problems& problems) const override;

private:
    RestrictionLists& lists_;
};

}  // namespace smtpd
