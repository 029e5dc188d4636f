// tools/common/log_line.h, tools/common/time_words.h, tools/ternlog/filter.h
#include "tools/common/log_line.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"
#include "tools/common/time_words.h"
#include "tools/ternlog/filter.h"

#include <cstdlib>
#include <ctime>

namespace {

constexpr std::string_view sent =
    "2026-11-23T20:01:02.123456+00:00 mx tern/local[812]: 3Cbn4n0000z1234: to=<anna@example.test>, orig_to=<a@example.test>, relay=local, "
    "delay=0.1, delays=0/0/0/0.1, dsn=2.0.0, status=sent (stored, or so)";

tools::LogLine parsed(std::string_view line, std::string& storage)
{
    tools::LogLine out;
    THAT(tools::parse_log_line(line, out, storage));
    return out;
}

TEST(takes_a_text_line_apart)
{
    std::string storage;
    auto line = parsed(sent, storage);
    EQ(line.time, "2026-11-23T20:01:02.123456+00:00");
    EQ(line.host, "mx");
    EQ(line.program, "tern/local");
    EQ(line.service, "local");
    EQ(line.pid, 812);
    EQ(line.level, "info");
    EQ(line.id, "3Cbn4n0000z1234");
    EQ(tools::log_field(line.rest, "to"), "anna@example.test");
    EQ(tools::log_field(line.rest, "delays"), "0/0/0/0.1");
    EQ(tools::log_field(line.rest, "status"), "sent (stored, or so)");
    EQ(tools::log_field(line.rest, "nothing"), "");

    line = parsed("2026-11-23T20:01:02+01:00 mx tern/qmgr[1]: warning: 3Cbn4n0000z1234: placed on hold", storage);
    EQ(line.level, "warning");
    EQ(line.rest, "placed on hold");
    line = parsed("t h smtpd[1]: NOQUEUE: reject: RCPT from x", storage);
    EQ(line.id, "NOQUEUE");
    EQ(line.rest, "reject: RCPT from x");
    line = parsed("t h smtpd[1]: connect from x", storage);
    EQ(line.id, "");
    EQ(line.rest, "connect from x");
    for (const char* wrong :
         {"", "t h", "t h smtpd: x", "t h smtpd[x]: y", "t h [1]: y", "t h tern/[1]: y", "{", "{}", "t  smtpd[1]: y"}) {
        tools::LogLine out;
        ck_assert_msg(!tools::parse_log_line(wrong, out, storage), "%s", wrong);
    }
    tools::LogLine out;
    THAT(!tools::parse_log_line(std::string(sent) + std::string(tools::max_log_line, 'x'), out, storage));
}
END_TEST

TEST(both_forms_say_the_same)
{
    std::string storage, more;
    for (std::string_view text :
         {sent, std::string_view("2026-11-23T20:01:02.123456+00:00 h\"ost tern/smtpd[7]: error: a \"quoted\" \\ text")}) {
        auto line = parsed(text, storage);
        std::string json = tools::log_line_to_json(line);
        auto again = parsed(json, more);
        EQ(again.time, line.time);
        EQ(again.host, line.host);
        EQ(again.program, line.program);
        EQ(again.pid, line.pid);
        EQ(again.level, line.level);
        EQ(again.text, line.text);
        EQ(again.id, line.id);
        EQ(tools::log_line_to_json(again), json);
    }
    auto line = parsed(
        "{\"time\":\"t\",\"host\":\"h\",\"program\":\"tern/x\",\"pid\":1,\"uid\":2,\"level\":\"info\",\"fields\":{\"a\":\"}\\\"\"},"
        "\"text\":\"tab\\t bell\\u0007\"}",
        storage);
    EQ(line.text, "tab\t bell\a");
    EQ(tools::log_line_to_text(line), "t h tern/x[1]: tab\\011 bell\\007");
}
END_TEST

TEST(times_are_instants)
{
    EQ(*tools::parse_log_time("1970-01-02T00:00:00+00:00"), 86'400'000'000);
    EQ(*tools::parse_log_time("1970-01-01T01:00:00.5+01:00"), 500'000);
    EQ(*tools::parse_log_time("2026-11-23T20:01:02.123456-05:30"), 1'795'483'862'123'456);
    for (const char* wrong :
         {"", "2026-11-23 20:01:02+00:00", "2026-13-23T20:01:02+00:00", "2026-11-23T20:01:02", "2026-11-23T24:01:02+00:00",
          "2026-11-23T20:01:02.1234567+00:00", "2026-11-23T20:01:02.x+00:00", "2026-11-23T20:01:02+0000"})
        ck_assert_msg(!tools::parse_log_time(wrong), "%s", wrong);
}
END_TEST

TEST(addresses_are_found_where_they_mean_a_message)
{
    THAT(tools::names_address("to=<A@B.example>, x", "a@b.EXAMPLE"));
    THAT(tools::names_address("reject: RCPT from h[1]: 550 no; from=<x@y> to=<a@b> proto=SMTP", "a@b"));
    THAT(tools::names_address("message-id=<1@h>", "1@h"));
    THAT(!tools::names_address("to=<aa@b>", "a@b"));
    THAT(!tools::names_address("to=<a@b.c>", "a@b"));
    THAT(!tools::names_address("helo=<a@b>", "a@b"));
    THAT(!tools::names_address("to=<a@b", "a@b"));
}
END_TEST

TEST(people_write_times_in_many_ways)
{
    ::setenv("TZ", "Europe/Berlin", 1);
    ::tzset();
    constexpr std::int64_t now = 1'795'484'000'000'000;   // 2026-11-24T02:33:20+01:00
    auto span = [&](std::string_view text) {
        auto result = tools::parse_time_words(text, now);
        return result ? util::concat(result->from / 1'000'000 - now / 1'000'000, " ", (result->to - result->from) / 1'000'000)
                      : result.error().text.substr(0, 20);
    };
    constexpr std::int64_t midnight = -(2 * 3600 + 33 * 60 + 20);
    EQ(span("now"), "0 0");
    EQ(span("2h"), "-7200 7200");
    EQ(span("90s"), "-90 90");
    EQ(*tools::parse_until("2h", now), now - 7200 * std::int64_t(1'000'000));
    EQ(*tools::parse_until("02:33", now), now + 40 * std::int64_t(1'000'000));
    EQ(span("today"), util::concat(midnight, " 86400"));
    EQ(span("yesterday"), util::concat(midnight - 86400, " 86400"));
    EQ(span("2026-11-24"), util::concat(midnight, " 86400"));
    EQ(span("02:33"), "-20 60");
    EQ(span("02:33:20"), "0 1");
    EQ(span("2026-11-24T02:33:20"), "0 1");
    EQ(span("2026-11-24 02:33"), "-20 60");
    EQ(span("2026-10-25").substr(span("2026-10-25").find(' ')), " 90000");   // the clock was set back
    for (const char* wrong : {"", "x", "2h3", "25:00", "2026-02-30", "2026-11-24T", "2026-11-24x10:11", "99999999d", "-2h"})
        ck_assert_msg(!tools::parse_time_words(wrong, now), "%s", wrong);
}
END_TEST

TEST(filters_choose_lines)
{
    std::string storage;
    auto line = parsed(sent, storage);
    auto chosen = [&](std::initializer_list<std::string_view> words) {
        ternlog::Filter filter;
        for (std::string_view word : words)
            filter.add_word(word);
        return filter.matches(line);
    };
    THAT(chosen({}) && chosen({"local"}) && chosen({"sent"}) && chosen({"anna@example.test"}) && chosen({"<A@example.test>"}));
    THAT(chosen({"3Cbn4n0000z1234", "info", "stored"}) && chosen({"local", "qmgr"}));
    THAT(!chosen({"qmgr"}) && !chosen({"deferred"}) && !chosen({"nna@example.test"}) && !chosen({"3Cbn4n0001z1234"}));
    THAT(!chosen({"warning"}) && !chosen({"local", "nothing like it"}));
    ternlog::Filter span;
    span.since = *tools::parse_log_time("2026-11-23T20:01:02.123456+00:00");
    THAT(span.matches(line));
    span.until = span.since;
    THAT(!span.matches(line));
    line = parsed("t h tern/smtpd[1]: NOQUEUE: reject: RCPT from x: 550 y", storage);
    THAT(chosen({"reject"}) && !chosen({"sent"}));
    THAT(!span.matches(line));   // no time that could be compared
}
END_TEST

}  // namespace

SUITE(log_line, takes_a_text_line_apart, both_forms_say_the_same, times_are_instants,
      addresses_are_found_where_they_mean_a_message, people_write_times_in_many_ways, filters_choose_lines)
