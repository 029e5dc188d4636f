// From standard input to a submission.
#include "tests/unit/suite.h"
#include "tools/sendmail/compose.h"

namespace {

std::string convert(std::string_view input, bool dot_ends, std::size_t step)
{
    sendmail::LineReader reader(dot_ends);
    std::string out;
    for (std::size_t at = 0; at < input.size(); at += step)
        reader.feed(input.substr(at, step), out);
    reader.end(out);
    return out;
}

}  // namespace

TEST(line_ends_become_crlf_in_pieces_of_any_size)
{
    const std::string_view input = "From mbox\na\r\nb\n\nlast";
    for (std::size_t step = 1; step <= input.size(); ++step)
        EQ(convert(input, true, step), "a\r\nb\r\n\r\nlast\r\n");
}
END_TEST

TEST(a_dot_ends_the_message_unless_told_otherwise)
{
    EQ(convert("a\n.\nb\n", true, 1), "a\r\n");
    EQ(convert("a\n.\nb\n", false, 100), "a\r\n.\r\nb\r\n");
    EQ(convert("a\n..\nb\n", true, 2), "a\r\n..\r\nb\r\n");
}
END_TEST

TEST(only_the_first_line_can_be_mbox_syntax)
{
    EQ(convert("a\nFrom here\n", true, 100), "a\r\nFrom here\r\n");
    EQ(convert("From mbox\n>From mbox\nTo: a\n>From b\n", true, 7), "To: a\r\n>From b\r\n");
    // A line without end is passed on piece by piece.
    std::string long_line(200'000, 'x');
    EQ(convert(long_line + "\r\n.\n", true, 1000), long_line + "\r\n");
    EQ(convert(long_line + "\r", true, 1000), long_line + "\r\n");
    std::string head(64 * 1024, '.');
    EQ(convert(head + "..\nb\n", true, 1), head + "..\r\nb\r\n");
    sendmail::LineReader reader(true);
    std::string out;
    reader.feed(long_line, out);
    EQ(out.size(), long_line.size() - 1);
}
END_TEST

TEST(recipients_come_from_three_fields)
{
    auto found = sendmail::header_recipients("To: a@b\r\nX: y\r\ncc: c@d,\r\n e@f\r\nBcc: g@h\r\n\r\nTo: no@no\r\n");
    EQ(found.size(), 3U);
    EQ(found[2], "g@h");
}
END_TEST

TEST(addresses_get_the_origin_and_lose_their_names)
{
    auto found = sendmail::envelope_addresses("bob, \"A. B\" <a@b.example>, \"odd one\"@c", "here.example");
    OK(found);
    EQ(found->size(), 3U);
    EQ((*found)[0], "bob@here.example");
    EQ((*found)[1], "a@b.example");
    EQ((*found)[2], "\"odd one\"@c");
    EQ(sendmail::envelope_addresses("undisclosed recipients:;", "here.example")->size(), 0U);
    THAT(!sendmail::envelope_addresses("a@b..c", "here.example").ok());
    for (const char* bad : {"a@b@c", "x@y, a@b@c", "a@b@", "@a@b"})
        ck_assert_msg(!sendmail::envelope_addresses(bad, "here.example").ok(), "%s", bad);
    // In front of an address there may be anything, and routes are left out (RFC 5321 appendix C).
    EQ(sendmail::envelope_addresses("a@b <c@d>, <@e,@f:g@h>", "here.example")->size(), 2U);
}
END_TEST

TEST(no_recipient_is_dropped_however_many_there_are)
{
    std::string many;
    for (int i = 0; i < 30'000; ++i)
        many += "a@b,";
    EQ(sendmail::envelope_addresses(many + "last@b", "here.example")->size(), 30'001U);
}
END_TEST

TEST(a_full_name_brings_no_control_characters_into_the_header)
{
    EQ(sendmail::from_field("a\r\nX: y\x1b[2J\x7f", "me@b"), "From: \"aX: y[2J\" <me@b>\r\n");
}
END_TEST

SUITE(compose, line_ends_become_crlf_in_pieces_of_any_size, a_dot_ends_the_message_unless_told_otherwise,
      only_the_first_line_can_be_mbox_syntax, recipients_come_from_three_fields,
      addresses_get_the_origin_and_lose_their_names, no_recipient_is_dropped_however_many_there_are,
      a_full_name_brings_no_control_characters_into_the_header)
