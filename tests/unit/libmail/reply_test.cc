#include "libmail/reply.h"

#include "libmail/dsn_status.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

using mail::Reply;

TEST(replies_go_over_the_wire)
{
    EQ(mail::to_wire({250, "2.1.5", "Ok"}), "250 2.1.5 Ok\r\n");
    EQ(mail::to_wire({220, "", "mx.example ESMTP"}), "220 mx.example ESMTP\r\n");
    EQ(mail::to_wire({354, "", ""}), "354 \r\n");
    EQ(mail::to_wire({250, "", "mx\nSIZE 10\nHELP"}), "250-mx\r\n250-SIZE 10\r\n250 HELP\r\n");
    EQ(mail::to_wire({550, "5.1.1", "a\nb"}), "550-5.1.1 a\r\n550 5.1.1 b\r\n");
    EQ(mail::to_wire({550, "5.7.1", "x\r\n250 y\001"}), "550-5.7.1 x\r\n550 5.7.1 250 y?\r\n");
    EQ(mail::to_wire({550, "", "\303\266"}), "550 ??\r\n");
    EQ(mail::to_wire({550, "", "\303\266"}, true), "550 \303\266\r\n");
}
END_TEST

TEST(long_lines_break)
{
    std::string text;
    for (int i = 0; i < 200; ++i)
        text += "word" + std::to_string(i) + " ";
    for (const std::string& long_text : {text, std::string(3000, 'x'), std::string("y") + std::string(600, 'x')}) {
        std::string wire = mail::to_wire({550, "5.7.1", long_text});
        mail::ReplyParser parser;
        std::string_view left = wire;
        while (!left.empty()) {
            std::size_t end = left.find("\r\n");
            THAT(end + 2 <= mail::max_reply_line);
            auto done = parser.feed(left.substr(0, end));
            OK(done);
            left.remove_prefix(end + 2);
            EQ(*done, left.empty());
        }
        std::string back = parser.take().text;
        std::string squeezed;
        for (char c : back)
            if (c != '\n' && c != ' ')
                squeezed += c;
        std::string expected;
        for (char c : long_text)
            if (c != ' ')
                expected += c;
        EQ(squeezed, expected);
    }
}
END_TEST

TEST(servers_replies_are_put_together)
{
    auto parse = [](std::initializer_list<std::string_view> lines) {
        mail::ReplyParser parser;
        for (std::string_view line : lines) {
            auto done = parser.feed(line);
            if (!done.ok())
                return Reply{0, "", done.error().text};
        }
        return parser.take();
    };
    EQ(mail::to_line(parse({"550-5.1.1 no", "550 5.1.1 such user"})), "550 5.1.1 no such user");
    EQ(mail::to_line(parse({"250"})), "250");
    EQ(mail::to_line(parse({"250 "})), "250");
    EQ(parse({"250 2.0.0"}).dsn, "2.0.0");
    EQ(parse({"250-a", "250 2.1.0 b"}).dsn, "2.1.0");
    EQ(parse({"450 5.1.1 wrong class"}).dsn, "");
    EQ(parse({"450 5.1.1 wrong class"}).text, "5.1.1 wrong class");
    EQ(parse({"250-a", "550 b"}).code, 550);
    for (std::string_view bad : {"", "2", "25", "abc", "250x", "199 a", "600 a", "+OK"})
        EQ(parse({bad}).code, 0);
    mail::ReplyParser parser;
    for (std::size_t i = 0; i < 1000; ++i)
        THAT(!*parser.feed("250-" + std::string(5000, 'x')));
    THAT(parser.take().text.size() <= mail::max_remote_reply_lines * mail::max_remote_reply_line);
    auto line = mail::parse_reply_line("550 5.7.1 go away");
    OK(line);
    THAT((*line == Reply{550, "5.7.1", "go away"}));
    THAT(!mail::parse_reply_line("REJECT").ok());
}
END_TEST

TEST(status_codes)
{
    for (std::string_view good : {"2.0.0", "4.1.10", "5.999.999"})
        THAT(mail::is_dsn_status(good));
    for (std::string_view bad : {"", "5", "5.1", "5.1.", "1.1.1", "3.0.0", "5.01.1", "5.1.1000", "5.1.1x", "5..1", "55.1.1"})
        THAT(!mail::is_dsn_status(bad));
    EQ(mail::leading_dsn_status("5.1.1 x", 550), "5.1.1");
    EQ(mail::leading_dsn_status("5.1.1x"), "");
    EQ(mail::with_class("5.1.1", 450), "4.1.1");
    EQ(mail::default_dsn_status(250), "2.0.0");
    EQ(mail::default_dsn_status(354), "4.0.0");
    EQ(mail::describe("5.2.2"), "Mailbox full");
    EQ(mail::describe("5.99.99"), "");
}
END_TEST

SUITE(reply, replies_go_over_the_wire, long_lines_break, servers_replies_are_put_together, status_codes)
