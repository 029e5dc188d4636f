// Times as ternbox takes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ternbox {

// "2026-11-23", "2026-11-23 10:11", "2026-11-23T10:11:12" in local time, or "@seconds".
std::optional<std::int64_t> parse_time(const char* text);
// Seconds: "30d", "2w", "12h", "90m", "10s", "2weeks"; a number alone is seconds.
std::optional<std::uint64_t> parse_age(std::string_view text);

}  // namespace ternbox
