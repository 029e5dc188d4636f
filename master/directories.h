// The directories of an instance: made at start, with the owners and modes that keep programs apart.
#pragma once

#include "master/plan.h"

namespace master {

// Makes what is missing and mends owners and modes (each change is logged).  Fails when something
// that is no directory is in the way.  Unprivileged, all belong to the caller.
util::Result<void> prepare_directories(const Plan& plan, bool unprivileged);
// Makes terndrop(1) set-gid to setgid_group.  Only root may.
util::Result<void> prepare_terndrop(const Plan& plan);

}  // namespace master
