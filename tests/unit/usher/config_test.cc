// Parameters whose values have rules of their own.
#include "usher/config.h"

#include "tests/unit/suite.h"

TEST(a_limit_on_messages_is_none_or_not_small)
{
    usher::Config config;
    for (auto [text, limit] : {std::pair("0", 0), std::pair("1000", 1000), std::pair("100000000", 100'000'000)})
        EQ(*config.message_limit.parse(text), limit);
    for (auto text : {"1", "999", "100000001", "-1", "many", ""})
        THAT(!config.message_limit.parse(text).ok());
}
END_TEST

TEST(hosts_of_urls_are_names_with_ports)
{
    usher::Config config;
    auto read = config.url_hosts.parse("imap.example.org, [2001:db8::7]:1143 localhost:993");
    THAT(read.ok());
    EQ(read->size(), 3u);
    EQ(read->at(1), "[2001:db8::7]:1143");
    EQ(config.url_hosts.parse("")->size(), 0u);
    for (auto text : {"imap://example.org", "joe@example.org", "example.org/", "ex_ample.org", "*.example.org"})
        THAT(!config.url_hosts.parse(text).ok());
    std::string many;
    for (int i = 0; i < 101; ++i)
        many += "h ";
    THAT(!config.url_hosts.parse(many).ok());
    EQ(config.url_hosts.parse(many.substr(2))->size(), 100u);
}
END_TEST

SUITE(usher_config, a_limit_on_messages_is_none_or_not_small, hosts_of_urls_are_names_with_ports)
