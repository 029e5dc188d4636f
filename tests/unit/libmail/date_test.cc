#include "libmail/date.h"

#include "tests/unit/suite.h"

namespace {

std::string read_date(std::string_view text)
{
    auto date = mail::parse_date(text);
    return date ? mail::format_date(*date) : "none";
}

std::string internal(std::string_view text)
{
    auto date = mail::parse_internal_date(text);
    return date ? mail::format_internal_date(*date) : "none";
}

}  // namespace

TEST(reads_dates_in_all_their_forms)
{
    const char* expected = "Mon, 23 Nov 2026 10:11:12 +0100";
    for (std::string_view text :
         {"Mon, 23 Nov 2026 10:11:12 +0100", "23 Nov 2026 10:11:12 +0100", "Mon,23 Nov 26 10:11:12 +0100 (CET)",
          "Monday, 23-Nov-26 10:11:12 +0100", "Mon, 23 November 2026 10:11:12 +01:00",
          "Mon (day), 23 (x) Nov\r\n 2026 10:11:12 (y) +0100", "mon, 23 nov 126 10:11:12 +0100",
          "Mon Nov 23 10:11:12 +0100 2026"})
        EQ(read_date(text), expected);
    EQ(read_date("Mon Nov 23 10:11:12 2026"), "Mon, 23 Nov 2026 10:11:12 +0000");
    EQ(read_date("23 Nov 1999 10:11 EST"), "Tue, 23 Nov 1999 10:11:00 -0500");
    EQ(read_date("23 Nov 99 10:11 Z"), "Tue, 23 Nov 1999 10:11:00 +0000");
    EQ(read_date("Fri, 07 Oct 1994 16:15:05 -0700 (PDT)"), "Fri, 7 Oct 1994 16:15:05 -0700");
    EQ(read_date("1 Jan 2017 00:59:60 +0100"), "Sun, 1 Jan 2017 00:59:59 +0100");
    EQ(read_date("Tue, 29 Feb 2000 00:00:00 -0000"), "Tue, 29 Feb 2000 00:00:00 +0000");
}
END_TEST

TEST(refuses_what_is_no_date)
{
    for (std::string_view text :
         {"", "yesterday", "31 Apr 2026 10:00:00 +0000", "29 Feb 2026 10:00 +0000", "0 Jan 2026 10:00:00 +0000",
          "1 Jan 2026", "1 Jan 2026 24:00:00 +0000", "1 Jan 2026 10:60:00", "1 Jan 99999 10:00:00", "((((", "1 2 3 4:5"})
        EQ(read_date(text), "none");
    EQ(read_date("1 Jan 2026 10:00:00 +9999"), "Thu, 1 Jan 2026 10:00:00 +0000");
}
END_TEST

TEST(internal_dates_keep_zone_and_pad_the_day)
{
    EQ(internal("23-Nov-2026 10:11:12 +0530"), "23-Nov-2026 10:11:12 +0530");
    EQ(internal(" 5-Nov-2026 10:11:12 -0800"), " 5-Nov-2026 10:11:12 -0800");
    EQ(internal("05-nov-2026 00:00:00 +0000"), " 5-Nov-2026 00:00:00 +0000");
    for (std::string_view bad : {"", "23-Nov-2026", "23-Nov-2026 10:11:12", "23-Nov-26 10:11:12 +0000",
                                 "32-Nov-2026 10:11:12 +0000", "23-Nov-2026 10:11 +0000", "23-Nov-2026 10:11:12 CET",
                                 "23-Nov-2026 10:11:12 +2400", "23-Nox-2026 10:11:12 +0000", "  5-Nov-2026 10:11:12 +0000"})
        EQ(internal(bad), "none");
    EQ(mail::parse_internal_date("01-Jan-1970 01:00:00 +0100")->seconds, 0);
}
END_TEST

TEST(days_are_those_of_the_dates_own_zone)
{
    auto date = mail::parse_date("23 Nov 2026 00:30:00 +0200");
    THAT(date.has_value());
    THAT((mail::day_of(*date) == mail::Day{2026, 11, 23}));
    THAT(mail::parse_imap_day("1-Feb-2026").has_value());
    THAT((*mail::parse_imap_day("01-feb-2026") == mail::Day{2026, 2, 1}));
    for (std::string_view bad : {"", "1-Feb-26", "1-Feb", "001-Feb-2026", "30-Feb-2026", "1-February-2026", "-Feb-2026"})
        THAT(!mail::parse_imap_day(bad));
}
END_TEST

TEST(timestamps_are_read_strictly)
{
    auto seconds = [](std::string_view text) {
        auto date = mail::parse_timestamp(text);
        return date ? date->seconds : -1;
    };
    EQ(seconds("1970-01-01T00:00:10Z"), 10);
    EQ(seconds("1970-01-01t01:00:10.999+01:00"), 10);
    EQ(seconds("1969-12-31T16:00:10-08:00"), 10);
    EQ(seconds("2026-11-23T10:11:60z"), seconds("2026-11-23T10:11:59Z"));
    EQ(mail::parse_timestamp("2026-11-23T10:11:12-00:30")->zone_minutes, -30);
    for (auto bad : {"",
                     "2026-11-23T10:11:12",
                     "2026-11-23 10:11:12Z",
                     "2026-11-23T10:11Z",
                     "2026-02-29T10:11:12Z",
                     "2026-11-23T24:11:12Z",
                     "2026-11-23T10:11:12.Z",
                     "2026-11-23T10:11:12.5",
                     "2026-11-23T10:11:12+0100",
                     "2026-11-23T10:11:12+01:0",
                     "2026-11-23T10:11:12GMT",
                     "2026-11-23T10:11:12Z ",
                     "2026-11-2310:11:12+01:00",
                     "20a6-11-23T10:11:12Z",
                     "2026-11-23T1 :11:12Z",
                     "2026-11-23T10:11:12+24:00",
                     "2026-11-23T10.11.12Z",
                     "2026/11/23T10:11:12Z",
                     "2026-11-23T10:11:1.Z",
                     "2026-11-23T10:11:12+:1:00"})
        EQ(seconds(bad), -1);
}
END_TEST

TEST(calendar_goes_both_ways)
{
    for (std::int64_t days = -800'000; days < 2'900'000; days += 211) {
        mail::Day day = mail::day_from_days(days);
        EQ(mail::days_from_day(day), days);
    }
    EQ(mail::days_from_day({1970, 1, 1}), 0);
    EQ(mail::days_from_day({2000, 3, 1}), 11017);
}
END_TEST

SUITE(date, reads_dates_in_all_their_forms, refuses_what_is_no_date, internal_dates_keep_zone_and_pad_the_day,
      timestamps_are_read_strictly, days_are_those_of_the_dates_own_zone, calendar_goes_both_ways)
