#include "libmail/ehlo.h"

#include "tests/unit/suite.h"

using mail::parse_ehlo;

TEST(keywords_are_taken_in_any_case_with_their_arguments)
{
    auto server = parse_ehlo(
        {250, "",
         "mx.example.org at your service\npipelining\nSIZE 1000\nAUTH plain LOGIN\nAUTH=LOGIN SCRAM-SHA-256\n"
         "8bitMIME\nXFORWARD NAME ADDR\nDSN\nSTARTTLS\nSMTPUTF8\nCHUNKING\nENHANCEDSTATUSCODES\nREQUIRETLS\nX-OTHER"});
    EQ(server.name, "mx.example.org");
    THAT(server.pipelining && server.size && server.auth && server.eight_bit_mime && server.dsn && server.starttls);
    THAT(server.utf8 && server.chunking && server.enhanced_status_codes && server.requiretls);
    EQ(server.size_limit, 1000);
    EQ(server.mechanisms.size(), 3);
    EQ(server.mechanisms[2], "SCRAM-SHA-256");
    THAT(server.takes_xforward("ADDR") && !server.takes_xforward("PORT"));
}
END_TEST

TEST(what_is_discarded_or_only_similar_is_not_there)
{
    auto server = parse_ehlo({250, "", "PIPELINING\nPIPELININGS\nDSN\nSIZE\nSTARTTLS\nAUTH"}, {"dsn", "starttls"});
    EQ(server.name, "PIPELINING");
    THAT(!server.pipelining && !server.dsn && !server.starttls && server.size && server.auth);
    EQ(server.size_limit, 0);
    THAT(server.mechanisms.empty());
    THAT(parse_ehlo({250, "", ""}).name.empty());
    EQ(parse_ehlo({250, "", "x\nSIZE 99999999999999999999999"}).size_limit, 0);
}
END_TEST

TEST(very_many_mechanisms_are_cut)
{
    std::string text = "x\nAUTH";
    for (int i = 0; i < 1000; ++i)
        text += " M" + std::to_string(i);
    EQ(parse_ehlo({250, "", text}).mechanisms.size(), mail::max_announced_words);
}
END_TEST

SUITE(ehlo, keywords_are_taken_in_any_case_with_their_arguments, what_is_discarded_or_only_similar_is_not_there,
      very_many_mechanisms_are_cut)
