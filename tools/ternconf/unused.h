// Settings that nobody reads: names in main.cf and after -o in master.cf that are no parameter, and
// that no other value mentions.
#pragma once

#include "libconf/main_cf.h"
#include "libconf/master_cf.h"
#include "tools/ternconf/sections.h"

#include <string>
#include <string_view>

namespace ternconf {

// A warning for each.
void find_unused(const AllSections& sections, const conf::MainCf& settings, const conf::MasterCf& master,
                 conf::Problems& problems);

// The known name that is nearest to a misspelt one; empty when none is near.
std::string nearest_name(const AllSections& sections, std::string_view name);

}  // namespace ternconf
