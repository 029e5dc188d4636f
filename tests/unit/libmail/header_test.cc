#include "libmail/address_list.h"
#include "libmail/header.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

std::string fields(std::string_view message)
{
    std::string out;
    mail::HeaderReader reader(message);
    mail::FieldView field;
    while (reader.next(field))
        util::append(out, '[', field.name, '|', field.value, ']');
    util::append(out, reader.size(), reader.complete() ? "" : "-");
    THAT(!reader.next(field));
    EQ(reader.size(), mail::header_size(message));
    return out;
}

std::string list(std::string_view value, std::size_t limit = mail::max_list_addresses)
{
    std::string out;
    for (const mail::ListEntry& entry : mail::parse_address_list(value, limit)) {
        if (entry.kind == mail::ListEntry::Kind::GroupEnd)
            out += ";";
        else if (entry.kind == mail::ListEntry::Kind::GroupStart)
            util::append(out, entry.local_part, ':');
        else
            util::append(out, '[', entry.has_name ? entry.name : "-", '|', entry.route, '|', entry.local_part, '@',
                         entry.domain, ']');
    }
    return out;
}

}  // namespace

TEST(walks_fields)
{
    EQ(fields("A: b\r\nC: d\r\n\r\nbody: x\r\n"), "[A|b][C|d]14");
    EQ(fields("A: b\nC: d\n\nbody: x\n"), "[A|b][C|d]11");
    EQ(fields("A: b\r\n c\r\n\td\r\n\r\n"), "[A|b\r\n c\r\n\td]16");
    EQ(fields("A:\r\n b\r\n\r\n"), "[A|b]10");
    EQ(fields("A:\r\n\r\n"), "[A|]6");
    EQ(fields("A : b\r\n\r\n"), "[A|b]9");
    EQ(fields("A: b"), "[A|b]4-");
    EQ(fields(""), "0-");
    EQ(fields("\r\nA: b"), "2");
    EQ(fields("A: b\r\n \r\n\r\n"), "[A|b]11");
    EQ(fields("A: b\r\r\n\r\n"), "[A|b]9");
}
END_TEST

TEST(malformed_lines_stay_in_the_header)
{
    EQ(fields("From joe Mon Nov 23 10:00:00\r\nA: b\r\n\r\n"), "[|From joe Mon Nov 23 10:00:00][A|b]38");
    EQ(fields("no colon\r\nA: b\r\n\r\n"), "[|no colon][A|b]18");
    EQ(fields(": x\r\n\r\n"), "[|: x]7");
    EQ(fields(" first line folded\r\nA: b\r\n\r\n"), "[|first line folded][A|b]28");
    EQ(fields("\303\266: x\r\n\r\n"), "[|\303\266: x]9");
    EQ(fields("\rA: b\r\n\r\n"), "[|A: b]9");
}
END_TEST

TEST(unfolds)
{
    EQ(mail::unfold("a\r\n b\r\n\tc"), "a b\tc");
    EQ(mail::unfold("a\n b"), "a b");
    EQ(mail::unfold("a\r b"), "a\r b");
    EQ(mail::unfold(""), "");
    EQ(*mail::find_field("A: 1\r\nb: 2\r\n\r\nc: 3\r\n", "B"), "2");
    THAT(!mail::find_field("A: 1\r\n\r\nc: 3\r\n", "c"));
}
END_TEST

TEST(finds_message_ids)
{
    auto ids = [](std::string_view value, std::size_t limit = 1000) {
        std::string out;
        for (const std::string& id : mail::message_ids(value, limit))
            out += id;
        return out;
    };
    EQ(ids("<a@b>"), "<a@b>");
    EQ(ids("<a@b>\r\n <c@d>, <e@f>"), "<a@b><c@d><e@f>");
    EQ(ids("Your message <a@b> of (<x@y>) \"<p@q>\""), "<a@b>");
    EQ(ids("<a\r\n @b>"), "<a@b>");
    EQ(ids("<>"), "");
    EQ(ids("<a"), "");
    EQ(ids("a@b"), "");
    std::string many;
    for (int i = 0; i < 50; ++i)
        util::append(many, '<', i, "> ");
    EQ(ids(many, 3), "<47><48><49>");
}
END_TEST

TEST(reads_address_lists)
{
    EQ(list("Joe <joe@a.example>"), "[Joe||joe@a.example]");
    EQ(list("joe@a.example (Joe Doe)"), "[Joe Doe||joe@a.example]");
    EQ(list("a@b, c@d"), "[-||a@b][-||c@d]");
    EQ(list("\"Doe, Joe\" <a@b>"), "[Doe, Joe||a@b]");
    EQ(list("Joe Q. Public <john.q.public@example.com>"), "[Joe Q. Public||john.q.public@example.com]");
    EQ(list("\"a \\\"b\\\"\" <c@d>"), "[a \"b\"||c@d]");
    EQ(list("\"\" <c@d>"), "[||c@d]");
    EQ(list("<c@d>"), "[-||c@d]");
    EQ(list("\"a b\"@c"), "[-||a b@c]");
    // RFC 5322 appendix A.5 and A.6.
    EQ(list("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>"), "[Pete||pete@silly.test]");
    EQ(list("Mary Smith <@node.test,@b.test:mary@example.net>, , jdoe@test  . example"),
       "[Mary Smith|@node.test,@b.test|mary@example.net][-||jdoe@test.example]");
    EQ(list("john . doe @ example . com"), "[-||john.doe@example.com]");
    EQ(list("=?utf-8?q?a?= <a@b>"), "[=?utf-8?q?a?=||a@b]");
    EQ(list("\303\266 <\303\266@\303\266>"), "[\303\266||\303\266@\303\266]");
    EQ(list("a@[192.0.2.1]"), "[-||a@[192.0.2.1]]");
}
END_TEST

TEST(reads_groups)
{
    EQ(list("A Group:Ed <e@a>,joe@b,John <j@c>;"), "A Group:[Ed||e@a][-||joe@b][John||j@c];");
    EQ(list("undisclosed-recipients:;"), "undisclosed-recipients:;");
    EQ(list("Undisclosed recipients:;, a@b"), "Undisclosed recipients:;[-||a@b]");
    EQ(list("(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;"), "Hidden recipients:;");
    EQ(list("a: b@c"), "a:[-||b@c];");
    EQ(list("a: b: c@d;"), "a:[-||c@d];");
}
END_TEST

TEST(makes_sense_of_nonsense)
{
    EQ(list(""), "");
    EQ(list(" ,,; , "), "");
    EQ(list("(just a comment)"), "");
    EQ(list("nobody"), "[-||nobody@]");
    EQ(list("Joe Doe, <a@b>"), "[Joe Doe||@][-||a@b]");
    EQ(list("a@b@c"), "[-||a@b]");
    EQ(list("a@b <a@b>"), "[a@b||a@b]");
    EQ(list("<a@b"), "[-||a@b]");
    EQ(list("<a@b, c@d"), "[-||a@b][-||c@d]");
    EQ(list("Joe <a@b> junk, c@d"), "[Joe||a@b][-||c@d]");
    EQ(list("a b@c"), "[-||a b@c]");
    EQ(list("@b"), "[-||@b]");
    EQ(list("Joe <>"), "[Joe||@]");
    EQ(list("<>"), "");
    EQ(list("\"unclosed <a@b>, c@d"), "[unclosed <a@b>, c@d||@]");
    EQ(list("(unclosed a@b"), "");
    EQ(list("a@b; c@d"), "[-||a@b][-||c@d]");
    EQ(list("[list] Joe <a@b>"), "[[list] Joe||a@b]");
    EQ(list(">a@b"), "[-||a@b]");
}
END_TEST

TEST(lists_are_bounded)
{
    std::string flood;
    for (int i = 0; i < 20'000; ++i)
        flood += "a@b,";
    EQ(mail::parse_address_list(flood).size(), mail::max_list_addresses);
    EQ(mail::parse_address_list("g: " + flood).size(), mail::max_list_addresses + 1);
    EQ(list("a@b,c@d,e@f", 2), "[-||a@b][-||c@d]");
    std::string deep(1'000'000, '(');
    mail::parse_address_list(deep);
    std::string starts;
    while (starts.size() < 1'000'000)
        starts += "<@a,";
    mail::parse_address_list(starts);
}
END_TEST

TEST(writes_entries)
{
    auto round = [](std::string_view text) { return mail::to_header(mail::parse_address_list(text).front()); };
    EQ(round("Joe <a@b>"), "Joe <a@b>");
    EQ(round("\"Doe, Joe\" <a@b>"), "\"Doe, Joe\" <a@b>");
    EQ(round("a@b"), "a@b");
    EQ(round("\"a\\\"b\" <\"c d\"@e>"), "\"a\\\"b\" <\"c d\"@e>");
}
END_TEST

SUITE(header, walks_fields, malformed_lines_stay_in_the_header, unfolds, finds_message_ids, reads_address_lists, reads_groups,
      makes_sense_of_nonsense, lists_are_bounded, writes_entries)
