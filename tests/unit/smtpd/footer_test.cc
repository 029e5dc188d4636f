#include "smtpd/footer.h"
#include "tests/unit/suite.h"

#include <cstdlib>
#include <ctime>

namespace {

std::string footer(std::string_view text)
{
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    smtpd::Client client{"x", "192.0.2.1", 4711};
    std::string reply = "no";
    smtpd::add_footer(reply, text, {client, "mx.example.org", util::from_unix_seconds(1'000'000'000)});
    return reply;
}

TEST(a_footer_is_a_line_of_its_own_or_goes_on)
{
    EQ(footer(""), "no");
    EQ(footer("call us"), "no\ncall us");
    EQ(footer("\\c; call us"), "no; call us");
    EQ(footer("one\\ntwo\\x"), "no\none\ntwo\\x");
}
END_TEST

TEST(names_are_replaced)
{
    EQ(footer("$(client_address) ${client_port} $server_name."), "no\n192.0.2.1 4711 mx.example.org.");
    EQ(footer("at $localtime"), "no\nat Sep 09 01:46:40");
    EQ(footer("[$unknown] $$5 $ $(client_address ${ $("), "no\n[] $5  192.0.2.1  ");
}
END_TEST

TEST(a_footer_is_bounded)
{
    EQ(footer(std::string(smtpd::max_footer, 'x')).size(), 3 + smtpd::max_footer);
    EQ(footer(std::string(smtpd::max_footer + 1, 'x')).size(), 3 + smtpd::max_footer);
}
END_TEST

}  // namespace

SUITE(footer, a_footer_is_a_line_of_its_own_or_goes_on, names_are_replaced, a_footer_is_bounded)
