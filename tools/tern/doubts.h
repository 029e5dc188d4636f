// What tern check says besides what the programs refuse.
#pragma once

#include <string>

namespace tern {

// Warnings, a line each: settings that nobody reads, tables that cannot be read now, names that
// must have mail (postmaster, root) and have none.
std::string doubts_about(const std::string& config_directory);

}  // namespace tern
