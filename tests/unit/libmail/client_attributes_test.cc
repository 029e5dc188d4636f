#include "libmail/client_attributes.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

using mail::ClientCommand;

std::string wrong(std::string_view argument, ClientCommand command = ClientCommand::Xclient)
{
    auto all = mail::parse_client_attributes(command, argument);
    return all.ok() ? "" : all.error().text;
}

// The value of one attribute, "unavailable", "temporary".
std::string value(std::string_view argument, std::optional<mail::ClientAttribute> mail::ClientAttributes::* member,
                  ClientCommand command = ClientCommand::Xclient)
{
    auto all = mail::parse_client_attributes(command, argument);
    if (!all.ok() || !((*all).*member))
        return all.ok() ? "absent" : all.error().text;
    const auto& found = *((*all).*member);
    using Kind = mail::ClientAttribute::Kind;
    return found.kind == Kind::Known ? found.text : found.kind == Kind::Temporary ? "temporary" : "unavailable";
}

TEST(values_are_xtext)
{
    EQ(value("helo=a+20b+2B", &mail::ClientAttributes::helo), "a b+");
    EQ(wrong("HELO=a+0Ab"), "Bad HELO syntax: a+0Ab");
    EQ(wrong("HELO=a+2"), "Bad HELO syntax: a+2");
    EQ(wrong("HELO="), "Bad HELO syntax: ");
    EQ(wrong("HELO=" + std::string(255, 'a')), "");
    EQ(wrong("HELO=" + std::string(256, 'a')).substr(0, 16), "Bad HELO syntax:");
}
END_TEST

TEST(each_attribute_has_its_syntax)
{
    EQ(value("ADDR=IPV6:2001:DB8::1", &mail::ClientAttributes::address), "2001:db8::1");
    EQ(value("ADDR=2001:db8::1", &mail::ClientAttributes::address), "2001:db8::1");
    EQ(value("ADDR=::ffff:192.0.2.1", &mail::ClientAttributes::address), "192.0.2.1");
    EQ(wrong("ADDR=192.0.2"), "Bad ADDR syntax: 192.0.2");
    EQ(wrong("ADDR=[192.0.2.1]"), "Bad ADDR syntax: [192.0.2.1]");
    EQ(wrong("NAME=192.0.2.1"), "Bad NAME syntax: 192.0.2.1");
    EQ(wrong("NAME=a..b"), "Bad NAME syntax: a..b");
    EQ(value("NAME=mail.example", &mail::ClientAttributes::name), "mail.example");
    EQ(value("PROTO=esmtp", &mail::ClientAttributes::protocol), "ESMTP");
    EQ(wrong("PROTO=LMTP"), "Bad PROTO syntax: LMTP");
    EQ(value("PROTO=LMTPS", &mail::ClientAttributes::protocol, ClientCommand::Xforward), "LMTPS");
    EQ(value("PROTO=[UNAVAILABLE]", &mail::ClientAttributes::protocol, ClientCommand::Xforward), "unavailable");
    EQ(wrong("PROTO=" + std::string(64, 'x'), ClientCommand::Xforward), "");
    EQ(wrong("PROTO=" + std::string(65, 'x'), ClientCommand::Xforward).substr(0, 17), "Bad PROTO syntax:");
    EQ(value("PORT=00025", &mail::ClientAttributes::port), "25");
    EQ(wrong("PORT=0"), "Bad PORT syntax: 0");
    EQ(wrong("DESTPORT=65536"), "Bad DESTPORT syntax: 65536");
    EQ(value("SOURCE=local", &mail::ClientAttributes::source, ClientCommand::Xforward), "LOCAL");
    EQ(wrong("SOURCE=here", ClientCommand::Xforward), "Bad SOURCE syntax: here");
}
END_TEST

TEST(what_is_not_known_has_words)
{
    EQ(value("NAME=[unavailable]", &mail::ClientAttributes::name), "unavailable");
    EQ(value("NAME=[TempUnavail]", &mail::ClientAttributes::name), "temporary");
    EQ(value("LOGIN=[UNAVAILABLE]", &mail::ClientAttributes::login), "unavailable");
    EQ(wrong("PROTO=[UNAVAILABLE]"), "Bad PROTO syntax: [UNAVAILABLE]");
}
END_TEST

TEST(each_command_has_its_attributes)
{
    EQ(mail::client_attribute_names(ClientCommand::Xclient), "NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT");
    EQ(mail::client_attribute_names(ClientCommand::Xforward), "NAME ADDR PROTO HELO SOURCE PORT IDENT");
    EQ(wrong("IDENT=1"), "Bad XCLIENT attribute name: IDENT");
    EQ(wrong("LOGIN=1", ClientCommand::Xforward), "Bad XFORWARD attribute name: LOGIN");
    EQ(wrong(""), "Syntax: XCLIENT attribute=value...");
    EQ(wrong("  ", ClientCommand::Xforward), "Syntax: XFORWARD attribute=value...");
    EQ(wrong("NAME"), "Error: attribute=value expected");
}
END_TEST

TEST(the_last_word_counts)
{
    EQ(value("PORT=1 PORT=2", &mail::ClientAttributes::port), "2");
    auto first = mail::parse_client_attributes(ClientCommand::Xclient, "PORT=1 HELO=a").take();
    first.merge(mail::parse_client_attributes(ClientCommand::Xclient, "HELO=[UNAVAILABLE]").take());
    EQ(first.port->text, "1");
    THAT(first.helo->kind == mail::ClientAttribute::Kind::Unavailable);
}
END_TEST

}  // namespace

SUITE(client_attributes, values_are_xtext, each_attribute_has_its_syntax, what_is_not_known_has_words,
      each_command_has_its_attributes, the_last_word_counts)
