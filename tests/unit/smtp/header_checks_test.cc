#include "smtp/header_checks.h"

#include "libutil/log.h"
#include "tests/unit/smtp/fake_server.h"

namespace {

std::string apply(const char* table, std::string_view header)
{
    smtp::Config config(smtp::Protocol::Smtp);
    test::fill(config);
    OK(config.header_checks.read(table));
    auto checks = smtp::HeaderChecks::open(config);
    OK(checks);
    THAT(checks->of_header() && !checks->of_body());
    auto changed = checks->apply(header, "3Cbn4n0000z1234");
    OK(changed);
    return changed.take();
}

constexpr std::string_view header =
    "Received: from a\r\n\tby b\r\nX-Secret: 1\r\nSubject: x\r\nContent-Type: text/plain\r\n\r\n";

TEST(fields_are_left_out_replaced_and_put_before_others)
{
    EQ(apply("regexp:{{/^X-Secret:/ IGNORE}}", header),
       "Received: from a\r\n\tby b\r\nSubject: x\r\nContent-Type: text/plain\r\n\r\n");
    EQ(apply("regexp:{{/^X-Secret:/ STRIP why}}", header),
       "Received: from a\r\n\tby b\r\nSubject: x\r\nContent-Type: text/plain\r\n\r\n");
    EQ(apply("regexp:{{/^Received:.*by b/ REPLACE Received: by us}}", header),
       "Received: by us\r\nX-Secret: 1\r\nSubject: x\r\nContent-Type: text/plain\r\n\r\n");
    EQ(apply("regexp:{{/^Subject:/ PREPEND X-New: 2}}", header),
       "Received: from a\r\n\tby b\r\nX-Secret: 1\r\nX-New: 2\r\nSubject: x\r\nContent-Type: text/plain\r\n\r\n");
}
END_TEST

TEST(what_cannot_be_done_changes_nothing)
{
    util::log::to_nowhere();
    for (const char* table : {"regexp:{{/./ REJECT no}}", "regexp:{{/./ REDIRECT a@b}}", "regexp:{{/./ WARN x}}",
                              "regexp:{{/./ INFO}}", "regexp:{{/./ REPLACE no field}}", "regexp:{{/./ PREPEND }}",
                              "regexp:{{/./ DUNNO}}", "regexp:{{/^Content-Type/ IGNORE}}", "regexp:{{/./ nonsense}}"})
        EQ(apply(table, header), header);
}
END_TEST

TEST(fields_about_mime_have_their_own_tables)
{
    smtp::Config config(smtp::Protocol::Smtp);
    test::fill(config);
    OK(config.header_checks.read("regexp:{{/^/ IGNORE}}"));
    OK(config.mime_header_checks.read("regexp:{{/^Content-Type:/ REPLACE Content-Type: text/enriched}}"));
    auto checks = smtp::HeaderChecks::open(config);
    OK(checks);
    THAT(checks->of_header() && checks->of_body());
    EQ(*checks->apply("X: y\r\nContent-Type: text/plain\r\nMIME-Version: 1.0\r\nContent-Language: de\r\n\r\n", "id"),
       "Content-Type: text/enriched\r\nMIME-Version: 1.0\r\n\r\n");
}
END_TEST

TEST(odd_headers_stay_whole)
{
    for (std::string_view text : {"", "\r\n", "no field\r\nSubject: x\r\n\r\n", "Subject: x"})
        EQ(apply("regexp:{{/^X-None/ IGNORE}}", text), text);
}
END_TEST

}  // namespace

SUITE(header_checks, fields_are_left_out_replaced_and_put_before_others, what_cannot_be_done_changes_nothing,
      fields_about_mime_have_their_own_tables, odd_headers_stay_whole)
