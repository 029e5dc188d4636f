// Dates of mail: RFC 5322 §3.3 and §4.3, IMAP's date-time (RFC 9051 §9).  Calendars only, no clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mail {

// An instant and the zone it was given in.
struct Date {
    std::int64_t seconds = 0;       // since 1970, UTC
    std::int16_t zone_minutes = 0;  // east of UTC, -1439 to 1439

    bool operator==(const Date&) const = default;
};

// A calendar day; year 1 to 9999, month 1 to 12.
struct Day {
    int year = 1970;
    int month = 1;
    int day = 1;

    auto operator<=>(const Day&) const = default;
};

// A Date: field: "Mon, 23 Nov 2026 10:11:12 +0100 (CET)"; also without weekday or seconds, with two
// or three digits of year, named and military zones, dashes, full month names, a zone missing
// (then UTC), and asctime's order.  nullopt when there is no date in it.
std::optional<Date> parse_date(std::string_view text);

// "Mon, 23 Nov 2026 10:11:12 +0100".
std::string format_date(const Date& date);

// The quoted content of an IMAP date-time: "23-Nov-2026 10:11:12 +0100", the day padded with a
// space.  Parsing is strict (RFC 9051 §9 date-time), but takes one digit without the space, too.
std::string format_internal_date(const Date& date);
std::optional<Date> parse_internal_date(std::string_view text);

// The date-time of RFC 3339 §5.6: "2026-11-23T10:11:12.5+01:00" or with Z; fractions are dropped, a leap second counts as
// the one before.
std::optional<Date> parse_timestamp(std::string_view text);

// IMAP's date: "1-Feb-2026" (with or without leading zero).
std::optional<Day> parse_imap_day(std::string_view text);

// The day in the date's own zone: SENTON and its kin ignore time and zone (RFC 9051 §6.4.4).
Day day_of(const Date& date);

// Days since 1970-01-01 and back.
std::int64_t days_from_day(const Day& day);
Day day_from_days(std::int64_t days);

}  // namespace mail
