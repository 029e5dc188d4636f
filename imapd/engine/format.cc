// Pieces of IMAP responses.
#include "imapd/engine/format.h"

#include "libutil/text.h"

#include <array>

namespace imapd::engine {

namespace {

constexpr std::array<std::string_view, 5> flag_names = {"\\Seen", "\\Answered", "\\Flagged",
                                                        "\\Deleted", "\\Draft"};
constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";

void append_two(std::string& out, int number, char pad = '0')
{
    out += number < 10 ? pad : char('0' + number / 10);
    out += char('0' + number % 10);
}

}  // namespace

void append_flags(std::string& out, store::Flags flags, store::Keywords keywords,
                  const store::MailboxFacts& mailbox, bool recent)
{
    out += '(';
    bool first = true;
    auto add = [&](std::string_view name) {
        if (!first)
            out += ' ';
        first = false;
        out += name;
    };
    for (std::size_t i = 0; flags != 0 && i < flag_names.size(); ++i, flags >>= 1)
        if (flags & 1)
            add(flag_names[i]);
    for (std::size_t i = 0; keywords != 0 && i < mailbox.keywords.size(); ++i, keywords >>= 1)
        if (keywords & 1)
            add(mailbox.keywords[i]);
    if (recent)
        add("\\Recent");
    out += ')';
}

// The algorithm counts from March, so that the leap day is the last day of its year.
std::int64_t days_from_civil(int year, int month, int day)
{
    std::int64_t y = month > 2 ? year : year - 1;
    std::int64_t era = (y >= 0 ? y : y - 399) / 400;
    std::int64_t year_of_era = y - era * 400;
    std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719'468;
}

CivilDate civil_from_days(std::int64_t days)
{
    days += 719'468;
    std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
    std::int64_t day_of_era = days - era * 146'097;
    std::int64_t year_of_era =
        (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
    CivilDate date;
    date.day = int(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    date.month = int(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    date.year = int(year_of_era + era * 400 + (date.month <= 2 ? 1 : 0));
    return date;
}

int month_number(std::string_view name)
{
    for (int month = 0; month < 12; ++month)
        if (util::equal_nocase(name, months.substr(std::size_t(month) * 3, 3)))
            return month + 1;
    return 0;
}

void append_internal_date(std::string& out, store::Date date)
{
    std::int64_t local = date.seconds + std::int64_t(date.zone_minutes) * 60;
    std::int64_t days = local / 86'400;
    std::int64_t rest = local % 86'400;
    if (rest < 0) {
        rest += 86'400;
        --days;
    }
    auto civil = civil_from_days(days);
    if (civil.year < 0 || civil.year > 9999)
        civil = {}, rest = 0;
    out += '"';
    append_two(out, civil.day, ' ');
    out += '-';
    out += months.substr(std::size_t(civil.month - 1) * 3, 3);
    out += '-';
    append_two(out, civil.year / 100);
    append_two(out, civil.year % 100);
    out += ' ';
    append_two(out, int(rest / 3600));
    out += ':';
    append_two(out, int(rest / 60 % 60));
    out += ':';
    append_two(out, int(rest % 60));
    int zone = date.zone_minutes < 0 ? -date.zone_minutes : date.zone_minutes;
    out += date.zone_minutes < 0 ? " -" : " +";
    append_two(out, zone / 60 % 100);
    append_two(out, zone % 60);
    out += '"';
}

void append_email_id(std::string& out, const store::Guid& guid)
{
    constexpr std::string_view digits = "0123456789abcdef";
    out += 'M';
    for (auto byte : guid.bytes) {
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
}

void append_mailbox_id(std::string& out, store::MailboxId id)
{
    util::append(out, "F", id);
}

store::Flags system_flag(std::string_view name)
{
    for (std::size_t i = 0; i < flag_names.size(); ++i)
        if (util::equal_nocase(name, flag_names[i]))
            return store::Flags(1) << i;
    return 0;
}

}  // namespace imapd::engine
