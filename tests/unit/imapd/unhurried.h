// Of sessions whose slices do not end because the machine is slow: what stops a command is its output.
#pragma once

#include "imapd/engine/facts.h"

namespace test {

inline imapd::engine::SessionFacts unhurried()
{
    imapd::engine::SessionFacts facts;
    facts.limits.slice = std::chrono::hours(1);
    return facts;
}

}  // namespace test
