// log/format.h
#include "log/format.h"

#include "tests/unit/suite.h"

#include <syslog.h>

#include <cstdlib>
#include <ctime>

using namespace logger;

namespace {

constexpr util::WallTime moment{std::chrono::microseconds(1'795'464'062'123'456)};  // 2026-11-23T20:01:02 UTC

void use_zone(const char* zone)
{
    ::setenv("TZ", zone, 1);
    ::tzset();
}

LineView line_of(std::string_view datagram)
{
    LineView line = parse_datagram(datagram).take();
    line.pid = 812;
    line.uid = 33;
    return line;
}

std::string as_text(std::string_view datagram)
{
    Formatter formatter("mail");
    std::string out;
    formatter.text(out, line_of(datagram), moment);
    return out;
}

std::string as_json(std::string_view datagram)
{
    Formatter formatter("mail");
    std::string out;
    formatter.json(out, line_of(datagram), moment);
    return out;
}

TEST(refuses_datagrams_of_another_form)
{
    for (std::string_view bad : {"", "I", "I ", "I x", "X x y", "Ix y", "I  y", "I a\nb y", "I a b", "I [x] y"}) {
        auto line = parse_datagram(bad);
        if (bad == "I a b")
            OK(line);
        else
            ck_assert_msg(!line.ok(), "%s", std::string(bad).c_str());
    }
    THAT(!parse_datagram("I " + std::string(65, 'p') + " text").ok());
    THAT(parse_datagram("I " + std::string(64, 'p') + " text").ok());
    EQ(parse_datagram("W tern/smtpd two words")->text, "two words");
    EQ(parse_datagram("I x ").value().text, "");
}
END_TEST

TEST(text_is_in_the_form_of_postfix)
{
    use_zone("UTC");
    EQ(as_text("I tern/smtpd connect from a"), "2026-11-23T20:01:02.123456+00:00 mail tern/smtpd[812]: connect from a\n");
    EQ(as_text("W tern/smtpd x"), "2026-11-23T20:01:02.123456+00:00 mail tern/smtpd[812]: warning: x\n");
    EQ(as_text("P tern/smtpd x\ny"), "2026-11-23T20:01:02.123456+00:00 mail tern/smtpd[812]: panic: x?y\n");
    use_zone("IST-5:30");
    EQ(as_text("F x y"), "2026-11-24T01:31:02.123456+05:30 mail x[812]: fatal: y\n");
    use_zone("NST3:30");
    EQ(as_text("E x y"), "2026-11-23T16:31:02.123456-03:30 mail x[812]: error: y\n");
}
END_TEST

TEST(json_has_the_pairs_of_a_message_line)
{
    use_zone("UTC");
    EQ(as_json(
           "I tern/local 3F2A9C7: to=<a@b>, orig_to=<c, d@e>, relay=mailbox[a@b], delay=0.05, dsn=2.0.0, status=sent (stored, at 5)"),
       "{\"time\":\"2026-11-23T20:01:02.123456+00:00\",\"host\":\"mail\",\"program\":\"tern/local\",\"pid\":812,\"uid\":33,\"level\":\"info\","
       "\"queue_id\":\"3F2A9C7\",\"fields\":{\"to\":\"<a@b>\",\"orig_to\":\"<c, d@e>\",\"relay\":\"mailbox[a@b]\",\"delay\":\"0.05\","
       "\"dsn\":\"2.0.0\",\"status\":\"sent (stored, at 5)\"},"
       "\"text\":\"3F2A9C7: to=<a@b>, orig_to=<c, d@e>, relay=mailbox[a@b], delay=0.05, dsn=2.0.0, status=sent (stored, at 5)\"}\n");
    EQ(as_json("W x disconnect from \"a\"\\"),
       "{\"time\":\"2026-11-23T20:01:02.123456+00:00\",\"host\":\"mail\",\"program\":\"x\",\"pid\":812,\"uid\":33,\"level\":\"warning\","
       "\"text\":\"disconnect from \\\"a\\\"\\\\\"}\n");
    THAT(as_json("I x reload: done").find("queue_id") == std::string::npos);
    THAT(as_json("I x 3F2A9C7: removed").find("fields") == std::string::npos);
    THAT(as_json("I x 3F2A9C7: removed").find("\"queue_id\":\"3F2A9C7\"") != std::string::npos);
}
END_TEST

TEST(syslog_lines_have_priority)
{
    EQ(Formatter::syslog(line_of("I tern/smtpd x"), LOG_MAIL), "<22>tern/smtpd[812]: x");
    EQ(Formatter::syslog(line_of("W tern/smtpd x"), LOG_MAIL), "<20>tern/smtpd[812]: warning: x");
}
END_TEST

SUITE(format, refuses_datagrams_of_another_form, text_is_in_the_form_of_postfix, json_has_the_pairs_of_a_message_line,
      syslog_lines_have_priority)

}  // namespace
