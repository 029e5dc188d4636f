#include "libnet/dns_reply_filter.h"

#include "libnet/dns_cache.h"
#include "libutil/log.h"
#include "libutil/text.h"
#include "tests/unit/libnet/dns_server.h"
#include "tests/unit/suite.h"

namespace {

using namespace net::dns;
using namespace std::chrono_literals;
using test::NameServer, test::Zone;

Zone site()
{
    Zone zone;
    zone.add("example.org", Type::Mx, test::mx_data(10, "mx1.example.org"))
        .add("example.org", Type::Mx, test::mx_data(20, "mx2.example.org"))
        .add("null.example", Type::Mx, test::mx_data(0, ""))
        .add("mx1.example.org", Type::A, test::a_data("192.0.2.1"), 60)
        .add("mx1.example.org", Type::Aaaa, test::a_data("2001:db8::1"))
        .add("mx2.example.org", Type::Aaaa, test::a_data("2001:db8::2"))
        .add("www.example.org", Type::Cname, test::wire_name("mx1.example.org"))
        .add("1.2.0.192.in-addr.arpa", Type::Ptr, test::wire_name("mx1.example.org"))
        .add("_25._tcp.mx1.example.org", Type::Tlsa, test::tlsa_data(3, 1, 1, std::string(32, '\xd5')))
        .add("example.org", Type::Ns, test::wire_name("ns.example.org"))
        .add("_submission._tcp.example.org", Type::Srv, test::srv_data(1, 2, 587, "mx1.example.org"))
        .add("example.org", Type::Txt, test::txt_data({"all bl", "ack\n"}));
    return zone;
}

// A resolver that asks `server`, with a table in place of a parameter.
Resolver resolver_with(const NameServer& server, const std::string& table)
{
    Settings settings;
    settings.servers = {server.text()};
    settings.resolv_conf = "/nonexistent/resolv.conf";
    settings.timeout = 5s;
    auto resolver = Resolver::open(std::move(settings)).take();
    auto filter = ReplyFilter::open({table}, "smtp_dns_reply_filter");
    OK(filter);
    resolver.set_filter(filter.take());
    return resolver;
}

template <typename Record>
std::string count_of(const Answer<Record>& answer)
{
    return util::concat(name_of(answer.status), ' ', answer.records.size());
}

TEST(keys_are_records_as_zone_files_have_them)
{
    auto key = [](Type type, std::array<std::uint16_t, 3> numbers, std::string text) {
        return filter_key({"a.example", type, 300, false, numbers, std::move(text)});
    };
    EQ(key(Type::A, {}, "192.0.2.1"), "a.example. 300 IN A 192.0.2.1");
    EQ(key(Type::Aaaa, {}, "2001:db8::1"), "a.example. 300 IN AAAA 2001:db8::1");
    EQ(key(Type::Mx, {10}, "mx.example"), "a.example. 300 IN MX 10 mx.example.");
    EQ(key(Type::Srv, {1, 2, 587}, "mx.example"), "a.example. 300 IN SRV 1 2 587 mx.example.");
    EQ(key(Type::Tlsa, {3, 1, 1}, "\xd5\x0a"), "a.example. 300 IN TLSA 3 1 1 d50a");
    EQ(key(Type::Txt, {}, "two\nlines"), "a.example. 300 IN TXT two lines");
    EQ(key(Type::Ns, {}, "ns.example"), "a.example. 300 IN NS ns.example.");
    EQ(key(Type::Txt, {}, std::string(60'000, 'x')).size(), conf::max_table_key);
    EQ(key(Type::Txt, {}, std::string(conf::max_table_key - 22, 'x')).back(), 'x');
}
END_TEST

TEST(records_are_passed_over_whoever_asks_and_the_rest_stays)
{
    NameServer server(site().script());
    auto dns = resolver_with(
        server, "regexp:{{/ IN AAAA / IGNORE} {/ IN MX 10 / ignore the first} {/TLSA 3 1 1 d5d5/ IGNORE} {/ NS / IGNORE} "
                "{/ SRV 1 2 587 mx1\\.example\\.org\\.$/ IGNORE} {/ TXT all black $/ IGNORE}}");
    auto mx = dns.mx("example.org");
    EQ(count_of(mx), "found 1");
    EQ(mx.records[0].host, "mx2.example.org");
    EQ(count_of(dns.addresses("mx1.example.org")), "found 1");
    EQ(dns.addresses("mx1.example.org").records[0], "192.0.2.1");
    // Filtered, not "no data": nobody may take the domain itself for the server, nor mail for undeliverable.
    auto none = dns.addresses("mx2.example.org");
    EQ(count_of(none), "filtered 0");
    THAT(none.temporary());
    EQ(none.text, "Error looking up name=mx2.example.org type=AAAA: DNS reply filter drops all results");
    EQ(count_of(dns.tlsa("mx1.example.org", 25)), "filtered 0");
    EQ(count_of(dns.ns("example.org")), "filtered 0");
    EQ(count_of(dns.srv("_submission._tcp.example.org")), "filtered 0");
    EQ(count_of(dns.txt("example.org")), "filtered 0");
    EQ(count_of(dns.addresses("nowhere.example")), "no such name 0");
}
END_TEST

TEST(the_key_has_the_name_behind_aliases_and_the_ttl_that_is_left)
{
    NameServer server(site().script());
    auto dns = resolver_with(server, "regexp:{{/^mx1\\.example\\.org\\. 60 IN A 192\\.0\\.2\\.1$/ IGNORE}}");
    EQ(count_of(dns.addresses("www.example.org", Families::V4)), "filtered 0");
    Cache cache(10'000);
    Outcome outcome;
    outcome.status = Status::Found;
    outcome.ttl = 60;
    outcome.records = {{"a", Type::A, 60, false, {}, "192.0.2.1"}, {"a", Type::A, 90, false, {}, "192.0.2.2"}};
    util::Instant start{1000s};
    cache.keep({"a", Type::A}, outcome, start);
    auto kept = cache.find({"a", Type::A}, start + 45s);
    EQ(kept->records[0].ttl, 15);
    EQ(kept->records[1].ttl, 45);
}
END_TEST

TEST(what_was_filtered_is_kept_whole)
{
    NameServer server(site().script());
    auto dns = resolver_with(server, "regexp:{{/ IN A / IGNORE}}");
    EQ(count_of(dns.addresses("mx1.example.org", Families::V4)), "filtered 0");
    EQ(count_of(dns.addresses("mx1.example.org", Families::V4)), "filtered 0");
    dns.set_filter({});
    EQ(count_of(dns.addresses("mx1.example.org", Families::V4)), "found 1");
    EQ(server.udp_queries(), 1);
}
END_TEST

TEST(a_null_mx_and_the_name_of_a_client_stay)
{
    NameServer server(site().script());
    auto dns = resolver_with(server, "static:IGNORE");
    THAT(is_null_mx(dns.mx("null.example")));
    EQ(dns.confirm("192.0.2.1").name, "mx1.example.org");
    EQ(count_of(dns.reverse("192.0.2.1")), "found 1");
}
END_TEST

TEST(what_cannot_be_asked_or_done_is_for_later)
{
    util::log::to_nowhere();
    NameServer server(site().script());
    auto wrong = resolver_with(server, "static:REJECT no").mx("example.org");
    EQ(count_of(wrong), "try again 0");
    EQ(wrong.text, "Error looking up name=example.org type=MX: Invalid DNS reply filter");
    EQ(count_of(resolver_with(server, "static:").mx("example.org")), "try again 0");
    EQ(count_of(resolver_with(server, "static:IGNORED").mx("example.org")), "try again 0");
    auto unread = resolver_with(server, "fail:no table").mx("example.org");
    EQ(count_of(unread), "try again 0");
    THAT(unread.text.ends_with("Invalid DNS reply filter"));
    THAT(!ReplyFilter::open({"nosuch:/table"}, "smtp_dns_reply_filter").ok());
    auto unknown = ReplyFilter::open({"nosuch:/table"}, "smtp_dns_reply_filter");
    THAT(unknown.error().text.starts_with("smtp_dns_reply_filter"));
}
END_TEST

}  // namespace

SUITE(dns_reply_filter, keys_are_records_as_zone_files_have_them, records_are_passed_over_whoever_asks_and_the_rest_stays,
      the_key_has_the_name_behind_aliases_and_the_ttl_that_is_left, what_was_filtered_is_kept_whole,
      a_null_mx_and_the_name_of_a_client_stay, what_cannot_be_asked_or_done_is_for_later)
