// Tables for people.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tools {

// Columns as wide as they need be; the first row are their names.
std::string table_of(const std::vector<std::vector<std::string>>& rows);
// Seconds since 1970 as "2026-11-29 16:20:00", in local time.
std::string time_text(std::int64_t seconds);

}  // namespace tools
