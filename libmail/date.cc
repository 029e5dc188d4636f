#include "libmail/date.h"

#include "libmail/header.h"
#include "libutil/text.h"

namespace mail {

namespace {

constexpr std::string_view month_names = "janfebmaraprmayjunjulaugsepoctnovdec";
constexpr std::string_view month_text = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::string_view day_text = "SunMonTueWedThuFriSat";

// Month 1 to 12 of a word that begins with its English name's first three letters; 0 if none.
int month_of(std::string_view word)
{
    if (word.size() < 3)
        return 0;
    char key[3] = {util::to_lower(word[0]), util::to_lower(word[1]), util::to_lower(word[2])};
    std::size_t at = month_names.find(std::string_view(key, 3));
    return at == std::string_view::npos || at % 3 != 0 ? 0 : int(at / 3) + 1;
}

int days_in_month(int year, int month)
{
    if (month == 2)
        return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

bool is_valid(const Day& day)
{
    return day.year >= 1 && day.year <= 9999 && day.month >= 1 && day.month <= 12 && day.day >= 1 &&
           day.day <= days_in_month(day.year, day.month);
}

// Digits as a number; -1 when there are none or more than four.
int small_number(std::string_view digits)
{
    int value = 0;
    if (digits.empty() || digits.size() > 4)
        return -1;
    for (char c : digits) {
        if (!util::is_digit(c))
            return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

// RFC 5322 §4.3: two digits below 50 mean 20xx, two others and three digits 19xx.
int full_year(std::string_view digits)
{
    int year = small_number(digits);
    if (digits.size() == 2)
        return year < 50 ? year + 2000 : year + 1900;
    return digits.size() == 3 ? year + 1900 : year;
}

// Minutes east of UTC of "+0130", "EST", "Z", ...; nullopt if it is no zone.  The military letters
// mean nothing (RFC 5322 §4.3), and so count as UTC.
std::optional<int> zone_of(std::string_view word)
{
    struct Zone {
        std::string_view name;
        int hours;
    };
    constexpr Zone zones[] = {{"UT", 0},   {"GMT", 0},  {"UTC", 0},  {"EST", -5}, {"EDT", -4},
                              {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8},
                              {"PDT", -7}};
    if (word.starts_with('+') || word.starts_with('-')) {
        std::string digits(word.substr(1));
        std::erase(digits, ':');
        if (digits.size() == 3)
            digits.insert(0, 1, '0');
        int value = digits.size() == 2 ? small_number(digits) * 100 : small_number(digits);
        if (value < 0 || value / 100 > 23 || value % 100 > 59)
            return std::nullopt;
        int minutes = value / 100 * 60 + value % 100;
        return word[0] == '-' ? -minutes : minutes;
    }
    for (const Zone& zone : zones)
        if (util::equal_nocase(word, zone.name))
            return zone.hours * 60;
    if (word.empty() || word.size() > 5)
        return std::nullopt;
    for (char c : word)
        if (!util::is_alpha(c))
            return std::nullopt;
    return 0;
}

struct Clock {
    int hour = 0;
    int minute = 0;
    int second = 0;
};

// "10:11:12", "10:11", "9:5"; fractions are dropped, a leap second counts as the one before.
std::optional<Clock> clock_of(std::string_view word)
{
    std::string_view parts[3];
    std::size_t count = 0;
    for (std::string_view part : util::split(word, ':')) {
        if (count == 3)
            return std::nullopt;
        parts[count++] = part;
    }
    if (count < 2)
        return std::nullopt;
    if (count == 3)
        parts[2] = parts[2].substr(0, parts[2].find_first_of(".,"));
    Clock clock{small_number(parts[0]), small_number(parts[1]), count == 3 ? small_number(parts[2]) : 0};
    if (clock.second == 60)
        clock.second = 59;
    bool fine = clock.hour >= 0 && clock.hour < 24 && clock.minute >= 0 && clock.minute < 60 &&
                clock.second >= 0 && clock.second < 60;
    return fine ? std::optional(clock) : std::nullopt;
}

Date make_date(const Day& day, const Clock& clock, int zone)
{
    std::int64_t local = days_from_day(day) * 86400 + clock.hour * 3600 + clock.minute * 60 + clock.second;
    return {local - std::int64_t(zone) * 60, std::int16_t(zone)};
}

constexpr std::size_t max_date_words = 12;  // more are not looked at

// Words between white space, commas and comments; dashes within a date part, too.
std::size_t split_date(std::string_view text, std::string_view (&words)[max_date_words])
{
    std::size_t count = 0;
    std::size_t at = 0;
    while (count < max_date_words) {
        skip_cfws(text, at);
        if (at >= text.size())
            break;
        if (text[at] == ',') {
            ++at;
            continue;
        }
        std::size_t start = at;
        while (at < text.size() && !util::is_space(text[at]) && text[at] != ',' && text[at] != '(')
            ++at;
        std::string_view word = text.substr(start, at - start);
        // "23-Nov-2026"
        while (count + 1 < max_date_words && !word.starts_with('-') && !word.starts_with('+') &&
               word.find('-') != std::string_view::npos && word.find(':') == std::string_view::npos) {
            words[count++] = word.substr(0, word.find('-'));
            word.remove_prefix(word.find('-') + 1);
        }
        words[count++] = word;
    }
    return count;
}

void append_two(std::string& out, int value, char pad = '0')
{
    out += value < 10 ? pad : char('0' + value / 10);
    out += char('0' + value % 10);
}

void append_clock_and_zone(std::string& out, std::int64_t second_of_day, int zone)
{
    append_two(out, int(second_of_day / 3600));
    out += ':';
    append_two(out, int(second_of_day / 60 % 60));
    out += ':';
    append_two(out, int(second_of_day % 60));
    out += zone < 0 ? " -" : " +";
    int minutes = zone < 0 ? -zone : zone;
    append_two(out, minutes / 60 % 100);
    append_two(out, minutes % 60);
}

struct Local {
    std::int64_t days;
    std::int64_t second_of_day;
};

Local local_time(const Date& date)
{
    std::int64_t local = date.seconds + std::int64_t(date.zone_minutes) * 60;
    std::int64_t days = local / 86400 - (local % 86400 < 0 ? 1 : 0);
    return {days, local - days * 86400};
}

void append_year(std::string& out, int year)
{
    append_two(out, year / 100);
    append_two(out, year % 100);
}

}  // namespace

std::int64_t days_from_day(const Day& day)
{
    // Counting years from March puts the leap day at the end.
    std::int64_t year = day.month <= 2 ? day.year - 1 : day.year;
    std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    std::int64_t year_of_era = year - era * 400;
    std::int64_t month = (day.month + 9) % 12;
    std::int64_t day_of_year = (153 * month + 2) / 5 + day.day - 1;
    std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

Day day_from_days(std::int64_t days)
{
    days += 719468;
    std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    std::int64_t day_of_era = days - era * 146097;
    std::int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    std::int64_t month = (5 * day_of_year + 2) / 153;
    Day day;
    day.day = int(day_of_year - (153 * month + 2) / 5 + 1);
    day.month = int(month < 10 ? month + 3 : month - 9);
    day.year = int(year_of_era + era * 400 + (day.month <= 2 ? 1 : 0));
    return day;
}

std::optional<Date> parse_date(std::string_view text)
{
    std::string_view words[max_date_words];
    std::size_t count = split_date(text, words);
    Day day{0, 0, 0};
    std::string_view year;
    std::optional<Clock> clock;
    std::optional<int> zone;
    for (std::size_t i = 0; i < count; ++i) {
        std::string_view word = words[i];
        bool number = !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
        if (!clock && word.find(':') != std::string_view::npos && util::is_digit(word[0]))
            clock = clock_of(word);
        else if (number && day.day == 0 && word.size() <= 2)
            day.day = small_number(word);
        else if (number && year.empty() && word.size() <= 4 && word.size() >= 2)
            year = word;
        else if (!number && day.month == 0 && month_of(word) != 0)
            day.month = month_of(word);
        else if (!number && clock && !zone)
            zone = zone_of(word);
    }
    day.year = year.empty() ? 0 : full_year(year);
    if (!is_valid(day) || !clock)
        return std::nullopt;
    return make_date(day, *clock, zone.value_or(0));
}

std::string format_date(const Date& date)
{
    Local local = local_time(date);
    Day day = day_from_days(local.days);
    std::int64_t weekday = ((local.days + 4) % 7 + 7) % 7;
    std::string out(day_text.substr(std::size_t(weekday) * 3, 3));
    util::append(out, ", ", day.day, ' ', month_text.substr(std::size_t(day.month - 1) * 3, 3), ' ');
    append_year(out, day.year);
    out += ' ';
    append_clock_and_zone(out, local.second_of_day, date.zone_minutes);
    return out;
}

std::string format_internal_date(const Date& date)
{
    Local local = local_time(date);
    Day day = day_from_days(local.days);
    std::string out;
    append_two(out, day.day, ' ');
    util::append(out, '-', month_text.substr(std::size_t(day.month - 1) * 3, 3), '-');
    append_year(out, day.year);
    out += ' ';
    append_clock_and_zone(out, local.second_of_day, date.zone_minutes);
    return out;
}

std::optional<Date> parse_internal_date(std::string_view text)
{
    if (text.starts_with(' '))
        text.remove_prefix(1);
    auto [day_part, rest] = util::split_first(text, ' ');
    auto [clock_part, zone_part] = util::split_first(rest, ' ');
    std::optional<Day> day = parse_imap_day(day_part);
    bool shaped = clock_part.size() == 8 && zone_part.size() == 5 &&
                  (zone_part[0] == '+' || zone_part[0] == '-');
    std::optional<Clock> clock = shaped ? clock_of(clock_part) : std::nullopt;
    std::optional<int> zone = shaped ? zone_of(zone_part) : std::nullopt;
    if (!day || !clock || !zone)
        return std::nullopt;
    return make_date(*day, *clock, *zone);
}

std::optional<Date> parse_timestamp(std::string_view text)
{
    constexpr std::size_t least = 20;   // with Z
    if (text.size() < least || text[4] != '-' || text[7] != '-' || util::to_lower(text[10]) != 't')
        return std::nullopt;
    Day day{small_number(text.substr(0, 4)), small_number(text.substr(5, 2)), small_number(text.substr(8, 2))};
    auto clock_part = text.substr(11, 8);
    auto rest = text.substr(19);
    if (rest.starts_with('.')) {
        auto digits = rest.substr(1, rest.find_first_not_of("0123456789", 1) - 1);
        if (digits.empty())
            return std::nullopt;
        rest.remove_prefix(1 + digits.size());
    }
    bool utc = rest == "Z" || rest == "z";
    bool shaped = clock_part[2] == ':' && clock_part[5] == ':' && small_number(clock_part.substr(6)) >= 0 &&
                  (utc || (rest.size() == 6 && (rest[0] == '+' || rest[0] == '-') && small_number(rest.substr(1, 2)) >= 0 &&
                           rest[3] == ':'));
    std::optional<Clock> clock = shaped ? clock_of(clock_part) : std::nullopt;
    std::optional<int> zone = !shaped ? std::nullopt : utc ? std::optional(0) : zone_of(rest);
    if (!is_valid(day) || !clock || !zone)
        return std::nullopt;
    return make_date(day, *clock, *zone);
}

std::optional<Day> parse_imap_day(std::string_view text)
{
    std::size_t first = text.find('-');
    std::size_t second = first == std::string_view::npos ? first : text.find('-', first + 1);
    if (second == std::string_view::npos || first == 0 || first > 2 || second - first != 4 ||
        text.size() - second != 5)
        return std::nullopt;
    Day day{small_number(text.substr(second + 1)), month_of(text.substr(first + 1, 3)),
            small_number(text.substr(0, first))};
    return is_valid(day) ? std::optional(day) : std::nullopt;
}

Day day_of(const Date& date)
{
    return day_from_days(local_time(date).days);
}

}  // namespace mail
