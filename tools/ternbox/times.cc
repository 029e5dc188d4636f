// Times as ternbox takes them.
#include "tools/ternbox/times.h"

#include "libutil/text.h"

#include <ctime>

namespace ternbox {

std::optional<std::int64_t> parse_time(const char* text)
{
    if (*text == '@') {
        auto seconds = util::parse_signed(text + 1);
        return seconds.ok() ? std::optional(*seconds) : std::nullopt;
    }
    for (const char* form : {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
        std::tm parts{};
        parts.tm_isdst = -1;
        const char* end = ::strptime(text, form, &parts);
        if (end && !*end)
            return std::int64_t(::mktime(&parts));
    }
    return std::nullopt;
}

std::optional<std::uint64_t> parse_age(std::string_view text)
{
    constexpr std::uint64_t most = UINT32_MAX;   // as the server takes it
    constexpr std::pair<std::string_view, std::uint64_t> units[] = {
        {"seconds", 1}, {"minutes", 60}, {"hours", 3600}, {"days", 86'400}, {"weeks", 604'800},
        {"second", 1},  {"minute", 60},  {"hour", 3600},  {"day", 86'400},  {"week", 604'800},
        {"secs", 1},    {"mins", 60},    {"s", 1},        {"m", 60},        {"h", 3600},
        {"d", 86'400},  {"w", 604'800},
    };
    auto digits = text.find_first_not_of("0123456789");
    auto number = util::parse_unsigned(text.substr(0, digits), most);
    if (!number.ok())
        return std::nullopt;
    if (digits == std::string_view::npos)
        return *number;
    for (const auto& [name, seconds] : units)
        if (util::equal_nocase(text.substr(digits), name) && *number <= most / seconds)
            return *number * seconds;
    return std::nullopt;
}

}  // namespace ternbox
