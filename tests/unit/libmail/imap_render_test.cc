#include "libmail/imap_render.h"

#include "tests/unit/suite.h"

namespace {

std::string structure(std::string_view message, bool extended = false)
{
    return mail::render_body_structure(message, mail::parse_mime(message), extended);
}

}  // namespace

TEST(strings_are_quoted_or_literal)
{
    auto text = [](std::string_view value) {
        std::string out;
        mail::append_imap_nstring(out, value);
        return out;
    };
    EQ(text({}), "NIL");
    EQ(text(""), "\"\"");
    EQ(text("a\"b\\c"), "\"a\\\"b\\\\c\"");
    EQ(text("a\r\nb"), "{4}\r\na\r\nb");
    EQ(text("\303\251"), "{2}\r\n\303\251");
    EQ(text(std::string_view("a\0b", 3)), "{3}\r\na?b");
    EQ(text(std::string(1000, 'x')), "\"" + std::string(1000, 'x') + "\"");
    EQ(text(std::string(1001, 'x')), "{1001}\r\n" + std::string(1001, 'x'));
}
END_TEST

TEST(renders_an_envelope)
{
    EQ(mail::render_envelope("Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nFrom: Bob <bob@example.com>\r\n"
                             "To: a@b, \"X, Y\" <c@d>\r\nSubject: hi\r\n there\r\nMessage-ID: <1@x>\r\n\r\n"),
       "(\"Mon, 23 Nov 2026 10:00:00 +0000\" \"hi there\" ((\"Bob\" NIL \"bob\" \"example.com\")) "
       "((\"Bob\" NIL \"bob\" \"example.com\")) ((\"Bob\" NIL \"bob\" \"example.com\")) "
       "((NIL NIL \"a\" \"b\")(\"X, Y\" NIL \"c\" \"d\")) NIL NIL NIL \"<1@x>\")");
}
END_TEST

TEST(renders_a_plain_message)
{
    EQ(structure("Subject: x\r\n\r\nhello\r\nworld\r\n"),
       "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 14 2)");
    EQ(structure("Subject: x\r\n\r\nhello\r\nworld\r\n", true),
       "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 14 2 NIL NIL NIL NIL)");
}
END_TEST

SUITE(imap_render, strings_are_quoted_or_literal, renders_an_envelope, renders_a_plain_message)
