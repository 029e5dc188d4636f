// libmail/local_form.h: messages for commands and mailbox files.
#include "libmail/local_form.h"

#include "tests/unit/suite.h"

namespace {

std::string lines(const mail::LocalForm& form, std::string_view content)
{
    std::string out;
    mail::LocalLines filter(form);
    filter.feed(content, out);
    filter.finish(out);
    return out;
}

TEST(line_ends_are_those_of_the_form)
{
    mail::LocalForm form;
    EQ(lines(form, "a\r\nb\nc\rd\r\n"), "a\nb\nc\rd\n");
    EQ(lines(form, "no end"), "no end\n");
    EQ(lines(form, ""), "");
    EQ(lines(form, "\r\n\r\n"), "\n\n");
    form.line_end = "\r\n";
    EQ(lines(form, "a\r\nb\nc"), "a\r\nb\r\nc\r\n");
    form.line_end = "";
    EQ(lines(form, "a\r\nb"), "ab");
}
END_TEST

TEST(lines_that_would_be_mistaken_are_marked)
{
    mail::LocalForm form;
    constexpr std::string_view text = "From x\r\n.\r\n..\r\nFrom\r\n>From x\r\nFro\r\n";
    EQ(lines(form, text), "From x\n.\n..\nFrom\n>From x\nFro\n");
    form.quote_from = true;
    EQ(lines(form, text), ">From x\n.\n..\nFrom\n>From x\nFro\n");
    form.stuff_dots = true;
    EQ(lines(form, text), ">From x\n..\n...\nFrom\n>From x\nFro\n");
    form.quote_from = false;
    EQ(lines(form, text), "From x\n..\n...\nFrom\n>From x\nFro\n");
    EQ(lines(form, "From ."), "From .\n");
}
END_TEST

TEST(trace_fields_stand_in_order)
{
    mail::LocalForm form{.from_line = true, .return_path = true, .original_to = true, .delivered_to = true, .line_end = "\r\n"};
    std::string head = mail::local_head({"a@b.example", "o@b.example", "d@b.example"}, form, 0);
    THAT(head.starts_with("From a@b.example  Thu Jan  1 "));
    THAT(head.ends_with(" 1970\r\nReturn-Path: <a@b.example>\r\nX-Original-To: o@b.example\r\nDelivered-To: d@b.example\r\n"));
    EQ(mail::local_head({"a@b.example", "", "d@b.example"}, {.return_path = true, .original_to = true}, 0),
       "Return-Path: <a@b.example>\n");
    THAT(mail::local_head({}, {.from_line = true}, 0).starts_with("From MAILER-DAEMON  "));
    EQ(mail::local_head({"a\nb c@d", "", "x\r\ny"}, {.return_path = true, .delivered_to = true}, 0),
       "Return-Path: <a?b c@d>\nDelivered-To: x??y\n");
}
END_TEST

SUITE(local_form, line_ends_are_those_of_the_form, lines_that_would_be_mistaken_are_marked, trace_fields_stand_in_order)

}  // namespace
