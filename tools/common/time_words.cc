// Times as people write them.
#include "tools/common/time_words.h"

#include "libutil/text.h"

#include <ctime>

namespace tools {

namespace {

constexpr std::int64_t second = 1'000'000, day_seconds = 86'400;

util::Error unknown(std::string_view text)
{
    return util::invalid(util::concat('"', util::printable(text, 60),
                                      "\" is no time (2026-11-23, 2026-11-23T10:11[:12], 10:11[:12], 2h, today, yesterday)"));
}

// "12", of so many digits and not above `max`; -1 when it is something else.
int number(std::string_view text, std::size_t digits, unsigned max)
{
    auto value = util::parse_unsigned(text, max);
    return text.size() == digits && value ? int(*value) : -1;
}

util::Result<std::int64_t> instant(std::tm local, std::string_view text)
{
    local.tm_isdst = -1;
    int day = local.tm_mday;
    std::time_t time = std::mktime(&local);
    if (time == -1 || local.tm_mday != day)
        return unknown(text);
    return std::int64_t(time) * second;
}

// "10:11" or "10:11:12" into `local`; the length of what was named, in seconds, or 0.
std::int64_t parse_clock(std::string_view text, std::tm& local)
{
    auto parts = util::split(text, ':');
    if (parts.size() != 2 && parts.size() != 3)
        return 0;
    local.tm_hour = number(parts[0], 2, 23);
    local.tm_min = number(parts[1], 2, 59);
    local.tm_sec = parts.size() == 3 ? number(parts[2], 2, 59) : 0;
    bool good = local.tm_hour >= 0 && local.tm_min >= 0 && local.tm_sec >= 0;
    return !good ? 0 : parts.size() == 3 ? 1
                                         : 60;
}

std::int64_t unit_seconds(char letter)
{
    switch (letter) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return day_seconds;
    case 'w':
        return 7 * day_seconds;
    default:
        return 0;
    }
}

}  // namespace

util::Result<TimeSpan> parse_time_words(std::string_view text, std::int64_t now)
{
    if (text == "now")
        return TimeSpan{now, now};
    std::time_t clock = now / second;
    std::tm local{};
    ::localtime_r(&clock, &local);
    if (text.size() >= 2 && unit_seconds(text.back()) > 0 && util::is_digit(text[0])) {
        auto count = util::parse_unsigned(text.substr(0, text.size() - 1), 1'000'000);
        if (!count)
            return unknown(text);
        return TimeSpan{now - std::int64_t(*count) * unit_seconds(text.back()) * second, now};
    }
    std::int64_t length = day_seconds;
    std::string_view time;
    if (text == "yesterday") {
        --local.tm_mday;
        local.tm_hour = 12;  // there is a noon on every day
        (void)std::mktime(&local);
    } else if (text != "today") {
        std::string_view date = text.substr(0, 10);
        bool has_date = text.size() >= 10 && date[4] == '-' && date[7] == '-';
        if (has_date) {
            local.tm_year = number(date.substr(0, 4), 4, 9999) - 1900;
            local.tm_mon = number(date.substr(5, 2), 2, 12) - 1;
            local.tm_mday = number(date.substr(8, 2), 2, 31);
            if (local.tm_year < 70 || local.tm_mon < 0 || local.tm_mday < 1)
                return unknown(text);
            time = text.substr(10);
            if (!time.empty() && (time[0] != 'T' && time[0] != ' '))
                return unknown(text);
            time = time.substr(time.empty() ? 0 : 1);
            if (text.size() > 10 && time.empty())
                return unknown(text);
        } else {
            time = text;
        }
        if (has_date && time.empty()) {
            local.tm_hour = local.tm_min = local.tm_sec = 0;
        } else {
            length = parse_clock(time, local);
            if (length == 0)
                return unknown(text);
        }
    }
    if (length == day_seconds)
        local.tm_hour = local.tm_min = local.tm_sec = 0;
    std::int64_t from = TRY(instant(local, text));
    if (length < day_seconds)
        return TimeSpan{from, from + length * second};
    // A day may have 23 hours, or 25.
    ++local.tm_mday;
    local.tm_isdst = -1;
    return TimeSpan{from, std::int64_t(std::mktime(&local)) * second};
}

util::Result<std::int64_t> parse_until(std::string_view text, std::int64_t now)
{
    TimeSpan span = TRY(parse_time_words(text, now));
    return span.to == now ? span.from : span.to;
}

}  // namespace tools
