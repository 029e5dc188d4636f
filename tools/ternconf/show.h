// What ternconf(1) prints.
#pragma once

#include "tools/ternconf/options.h"
#include "tools/ternconf/sections.h"

#include <string>

namespace ternconf {

// Output goes to `out`, what is wrong to `problems`.  Each answers whether all that was asked for
// was found.
bool show_parameters(const Options& options, std::string& out, conf::Problems& problems);
bool show_services(const Options& options, std::string& out, conf::Problems& problems);
void show_table_types(std::string& out);
// The words of notices, with -b as their readers see them.
bool show_notices(const Options& options, std::string& out, conf::Problems& problems);

// "name = value", folded before words that would go past column 75.
std::string fold_setting(std::string_view text);

// The manual's entries for a section, in mdoc; nothing when there is no such section.
std::optional<std::string> mdoc_of(const AllSections& sections, std::string_view name);

}  // namespace ternconf
