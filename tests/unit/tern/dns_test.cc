// tools/tern/dns.h
#include "tools/tern/dns.h"

#include "tests/unit/suite.h"

using namespace tern;

namespace {

TEST(an_answer_is_for_people_and_programs)
{
    DnsAnswer answer{net::dns::Status::Found, true, true, "mail.example", 300, {"192.0.2.1", "two\nlines \\"}, ""};
    EQ(dns_to_text(answer), "found, secure, ttl=300, name=mail.example\n192.0.2.1\ntwo\\012lines \\\\\n");
    EQ(dns_to_json(answer), "{\"status\":\"found\",\"secure\":true,\"secure_name\":true,\"name\":\"mail.example\",\"ttl\":300,"
                            "\"text\":\"\",\"records\":[\"192.0.2.1\",\"two\\nlines \\\\\"]}\n");
    answer.secure = false;
    EQ(dns_to_text(answer).substr(0, 22), "found, aliases secure,");
}
END_TEST

TEST(what_is_not_there_is_told_with_its_reason)
{
    DnsAnswer answer{net::dns::Status::NoSuchName, false, false, "a", 60, {}, "Host not found"};
    EQ(dns_to_text(answer), "no such name, ttl=60, name=a\nHost not found\n");
    EQ(dns_to_json(answer), "{\"status\":\"no such name\",\"secure\":false,\"secure_name\":false,\"name\":\"a\",\"ttl\":60,"
                            "\"text\":\"Host not found\",\"records\":[]}\n");
}
END_TEST

}  // namespace

SUITE(dns, an_answer_is_for_people_and_programs, what_is_not_there_is_told_with_its_reason)
