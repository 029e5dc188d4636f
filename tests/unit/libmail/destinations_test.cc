// libmail/destinations.h
#include "libmail/destinations.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

std::string show(const util::Result<std::vector<mail::Destination>>& found)
{
    if (!found.ok())
        return util::concat("!", found.error().text);
    std::string out;
    for (const mail::Destination& one : *found)
        util::append(out, out.empty() ? "" : " ; ", std::string("ACFI").substr(std::size_t(one.kind), 1),
                     one.plain ? "\\" : ":", one.text);
    return out;
}

std::string read_destinations(std::string_view value) { return show(mail::parse_destinations(value, 100)); }
std::string read_file(std::string_view text) { return show(mail::parse_destination_file(text, 100)); }

TEST(tells_the_kinds_apart)
{
    EQ(read_destinations("anna"), "A:anna");
    EQ(read_destinations("anna, bert@Example.ORG ,carl"), "A:anna ; A:bert@example.org ; A:carl");
    EQ(read_destinations("anna bert"), "A:anna ; A:bert");
    EQ(read_destinations("|/usr/bin/archive"), "C:/usr/bin/archive");
    EQ(read_destinations("/var/log/x, /home/anna/Maildir/"), "F:/var/log/x ; F:/home/anna/Maildir/");
    EQ(read_destinations(":include:/etc/list, :INCLUDE: /etc/other"), "I:/etc/list ; I:/etc/other");
    EQ(read_destinations("\\anna"), "A\\anna");
    EQ(read_destinations(""), "");
    EQ(read_destinations(" , ,"), "");
}
END_TEST

TEST(quotes_hold_commas_blanks_and_quotes)
{
    EQ(read_destinations("\"|/usr/bin/x -a b, c\", anna"), "C:/usr/bin/x -a b, c ; A:anna");
    EQ(read_destinations("|\"/usr/bin/x y\""), "C:/usr/bin/x y");
    EQ(read_destinations("\"|x \\\"y\\\" \\\\z\""), "C:x \"y\" \\z");
    EQ(read_destinations("\"|x \\\"@y\\\"\""), "C:x \"@y\"");
    EQ(read_destinations("\"/var/mail/with blank\""), "F:/var/mail/with blank");
    EQ(read_destinations("\":include:/etc/a list\""), "I:/etc/a list");
    EQ(read_destinations("\"joe smith\"@example.org"), "A:\"joe smith\"@example.org");
    EQ(read_destinations("\"|not a command\"@example.org"), "A:\"|not a command\"@example.org");
}
END_TEST

TEST(comments_are_for_addresses_only)
{
    EQ(read_destinations("anna (Anna, of course), bert"), "A:anna ; A:bert");
    EQ(read_destinations("Anna Smith <anna@example.org>"), "A:anna@example.org");
    EQ(read_destinations("|(cd /tmp; x), anna"), "C:(cd /tmp; x) ; A:anna");
}
END_TEST

TEST(says_what_is_wrong)
{
    EQ(read_destinations("\"|unclosed"), "!a quote without its second one");
    EQ(read_destinations("|"), "!a command or a file without a name");
    EQ(read_destinations(":include:list"), "!:include: without a path that begins with /");
    EQ(read_destinations("|a\001b"), "!a destination with a control character");
    EQ(read_destinations("<>"), "!\"<>\" is no address");
}
END_TEST

TEST(files_have_lines_and_comments)
{
    EQ(read_file("# of anna\n\\anna\n\n  # more\n\"|x y\", bert\r\n"), "A\\anna ; C:x y ; A:bert");
    EQ(read_file("anna\n\"bert\n"), "!line 2: a quote without its second one");
}
END_TEST

TEST(limits_hold_at_their_edges)
{
    THAT(mail::parse_destinations("a,b,c", 3).ok());
    EQ(show(mail::parse_destinations("a,b,c,d", 3)), "!more than 3 destinations");
    EQ(show(mail::parse_destination_file("a,b\nc\nd\n", 3)), "!line 3: more than 3 destinations");
    THAT(mail::parse_destinations("|" + std::string(mail::max_destination_length, 'x'), 1).ok());
    THAT(!mail::parse_destinations("|" + std::string(mail::max_destination_length + 1, 'x'), 1).ok());
}
END_TEST

SUITE(destinations, tells_the_kinds_apart, quotes_hold_commas_blanks_and_quotes, comments_are_for_addresses_only,
      says_what_is_wrong, files_have_lines_and_comments, limits_hold_at_their_edges)

}  // namespace
