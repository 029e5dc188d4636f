#include "libnet/dns.h"

#include "libutil/log.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tests/unit/libnet/dns_server.h"
#include "tests/unit/no_descriptors.h"
#include "tests/unit/suite.h"

#include <algorithm>
#include <csignal>
#include <mutex>
#include <poll.h>
#include <pthread.h>

namespace {

using namespace net::dns;
using namespace std::chrono_literals;
using test::NameServer, test::Reply, test::Zone;
using Packets = std::vector<std::string>;

// A clock that tests move.
struct Clock {
    std::shared_ptr<util::Instant> at = std::make_shared<util::Instant>(util::now());
    void pass(util::Duration time) { *at += time; }
    std::function<util::Instant()> function() const { return [at = at] { return *at; }; }
};

Settings settings_for(std::vector<std::string> servers, util::Duration timeout = 5s)
{
    Settings settings;
    settings.servers = std::move(servers);
    settings.resolv_conf = "/nonexistent/resolv.conf";
    settings.timeout = timeout;
    return settings;
}

Resolver resolver_for(const NameServer& server)
{
    return Resolver::open(settings_for({server.text()})).take();
}

// How many queries a server has had by UDP, when it has had so many: its thread may hear of one after the client has given up.
int heard(const NameServer& server, std::size_t count)
{
    for (auto limit = util::Deadline::in(60s); std::cmp_less(server.udp_queries(), count) && !limit.passed();)
        ::poll(nullptr, 0, 5);
    return server.udp_queries();
}

// A server that answers each query with what `make` makes of it.
NameServer::Script answers(std::function<std::string(std::string_view)> make)
{
    return [make](std::string_view query, bool) { return Packets{make(query)}; };
}

std::string show(const Answer<std::string>& answer)
{
    std::string text(name_of(answer.status));
    for (const std::string& record : answer.records)
        util::append(text, ' ', record);
    return text;
}

std::string show(const Answer<Mx>& answer)
{
    std::string text(name_of(answer.status));
    for (const Mx& mx : answer.records)
        util::append(text, ' ', mx.preference, ':', mx.host);
    return text;
}

Zone example()
{
    Zone zone;
    zone.add("example.org", Type::Mx, test::mx_data(20, "mx2.example.org"))
        .add("example.org", Type::Mx, test::mx_data(10, "MX1.example.org"))
        .add("null.example", Type::Mx, test::mx_data(0, ""))
        .add("mx1.example.org", Type::A, test::a_data("192.0.2.1"))
        .add("mx1.example.org", Type::Aaaa, test::a_data("2001:db8::1"))
        .add("mx2.example.org", Type::A, test::a_data("192.0.2.2"))
        .add("www.example.org", Type::Cname, test::wire_name("alias.example.org"))
        .add("alias.example.org", Type::Cname, test::wire_name("mx1.example.org"))
        .add("dangling.example.org", Type::Cname, test::wire_name("nowhere.example.org"))
        .add("1.2.0.192.in-addr.arpa", Type::Ptr, test::wire_name("other.example.org"))
        .add("1.2.0.192.in-addr.arpa", Type::Ptr, test::wire_name("mx1.example.org"))
        .add("3.2.0.192.in-addr.arpa", Type::Ptr, test::wire_name("mx1.example.org"))
        .add("4.2.0.192.in-addr.arpa", Type::Ptr, test::wire_name("nowhere.example.org"))
        .add("example.org", Type::Txt, test::txt_data({"v=spf1 ", "-all"}))
        .add("_25._tcp.mx1.example.org", Type::Tlsa, test::tlsa_data(3, 1, 1, std::string(32, 'd')))
        .add("_submission._tcp.example.org", Type::Srv, test::srv_data(1, 2, 587, "mx1.example.org"))
        .add("example.org", Type::Ns, test::wire_name("ns.example.org"));
    return zone;
}

TEST(records_of_each_type_are_found)
{
    NameServer server(example().script());
    Resolver dns = resolver_for(server);
    EQ(show(dns.mx("Example.ORG.")), "found 10:mx1.example.org 20:mx2.example.org");
    EQ(show(dns.txt("example.org")), "found v=spf1 -all");
    EQ(show(dns.ns("example.org")), "found ns.example.org");
    auto tlsa = dns.tlsa("mx1.example.org", 25);
    EQ(tlsa.records.size(), 1);
    THAT(tlsa.records[0] == (Tlsa{3, 1, 1, std::string(32, 'd')}));
    auto srv = dns.srv("_submission._tcp.example.org");
    EQ(srv.records.size(), 1);
    THAT(srv.records[0] == (Srv{1, 2, 587, "mx1.example.org"}));
    EQ(show(dns.cname("www.example.org")), "found alias.example.org");
    EQ(show(dns.reverse("192.0.2.3")), "found mx1.example.org");
    auto mx = dns.mx("example.org");
    EQ(mx.ttl, util::Duration(300s));
    EQ(mx.text, "");
    EQ(server.tcp_queries(), 0);
}
END_TEST

TEST(both_families_of_addresses_come_together)
{
    NameServer server(example().script());
    Resolver dns = resolver_for(server);
    EQ(show(dns.addresses("mx1.example.org")), "found 192.0.2.1 2001:db8::1");
    EQ(show(dns.addresses("mx1.example.org", Families::V4)), "found 192.0.2.1");
    EQ(show(dns.addresses("mx1.example.org", Families::V6)), "found 2001:db8::1");
    EQ(show(dns.addresses("mx2.example.org")), "found 192.0.2.2");
    EQ(show(dns.addresses("mx2.example.org", Families::V6)), "no data");
    EQ(show(dns.addresses("mx3.example.org")), "no such name");
}
END_TEST

TEST(many_hosts_are_asked_for_at_once_in_their_order)
{
    Zone zone;
    std::vector<std::string> hosts;
    for (unsigned i = 0; i < 100; ++i) {
        hosts.push_back(util::concat("h", i, ".example"));
        zone.add(hosts.back(), Type::A, test::a_data(util::concat("192.0.2.", i)));
    }
    NameServer server(zone.script());
    auto found = resolver_for(server).addresses(hosts, Families::V4);
    EQ(found.size(), 100);
    for (unsigned i = 0; i < 100; ++i)
        EQ(show(found[i]), util::concat("found 192.0.2.", i));
}
END_TEST

TEST(questions_wait_for_one_another_only_beyond_max_parallel)
{
    // Answers come when max_parallel questions are there: one after the other they would never come.
    auto waiting = std::make_shared<Packets>();
    NameServer server([waiting](std::string_view query, bool) {
        waiting->push_back(std::string(query));
        return Packets{};
    });
    Resolver dns = Resolver::open([&] {
        auto settings = settings_for({server.text()}, 1s);
        settings.attempts = 1;
        return settings;
    }()).take();
    std::vector<std::string> hosts;
    for (std::size_t i = 0; i < max_parallel; ++i)
        hosts.push_back(util::concat("h", i, ".example"));
    auto begin = util::now();
    dns.addresses(hosts, Families::V4);
    THAT(util::now() - begin < 1s * int(max_parallel) / 2);
    EQ(heard(server, max_parallel), max_parallel);
}
END_TEST

TEST(aliases_are_followed)
{
    NameServer server(example().script());
    Resolver dns = resolver_for(server);
    auto found = dns.addresses("www.example.org", Families::V4);
    EQ(show(found), "found 192.0.2.1");
    EQ(found.name, "mx1.example.org");
    auto dangling = dns.addresses("dangling.example.org");
    EQ(show(dangling), "no such name");
    EQ(dangling.name, "nowhere.example.org");
}
END_TEST

TEST(a_server_that_does_not_follow_aliases_is_asked_for_their_targets)
{
    NameServer server(answers([](std::string_view query) {
        if (test::asked_name(query) == "a.example")
            return Reply(query).answer({"a.example", 5, 60, test::wire_name("b.example")}).bytes();
        return Reply(query).answer({"b.example", 1, 30, test::a_data("192.0.2.1")}).bytes();
    }));
    Resolver dns = resolver_for(server);
    auto found = dns.addresses("a.example", Families::V4);
    EQ(show(found), "found 192.0.2.1");
    EQ(found.name, "b.example");
    EQ(found.ttl, util::Duration(30s));
    EQ(server.udp_queries(), 2);
}
END_TEST

TEST(aliases_that_never_end_are_malformed)
{
    // One link at a time, and all in one answer.
    NameServer endless(answers([](std::string_view query) {
        std::string name = test::asked_name(query);
        return Reply(query).answer({name, 5, 60, test::wire_name("x" + name)}).bytes();
    }));
    EQ(show(resolver_for(endless).addresses("a.example", Families::V4)), "malformed");
    EQ(endless.udp_queries(), max_aliases + 1);
    NameServer loop(answers([](std::string_view query) {
        return Reply(query).answer({"a.example", 5, 60, test::wire_name("b.example")})
            .answer({"b.example", 5, 60, test::wire_name("a.example")}).bytes();
    }));
    auto answer = resolver_for(loop).mx("a.example");
    EQ(show(answer), "malformed");
    EQ(answer.text, "Name service error for name=a.example type=MX: Malformed or unexpected name server reply "
                    "(a loop or too long a chain of CNAMEs)");
}
END_TEST

TEST(a_null_mx_is_told)
{
    NameServer server(example().script());
    Resolver dns = resolver_for(server);
    THAT(is_null_mx(dns.mx("null.example")));
    THAT(!is_null_mx(dns.mx("example.org")));
    THAT(!is_null_mx(dns.mx("mx1.example.org")));
}
END_TEST

TEST(names_that_cannot_be_are_not_asked_for)
{
    NameServer server(example().script());
    Resolver dns = resolver_for(server);
    auto answer = dns.mx("a..b");
    EQ(show(answer), "no such name");
    EQ(answer.text, "Host or domain name not found. Name service error for name=a..b type=MX: Host not found");
    EQ(show(dns.mx("")), "no such name");
    EQ(show(dns.txt("a\nb")), "no such name");
    EQ(dns.txt("a\nb").text, "Host or domain name not found. Name service error for name=a\\012b type=TXT: Host not found");
    EQ(show(dns.reverse("localhost")), "no such name");
    EQ(server.udp_queries(), 0);
}
END_TEST

TEST(a_truncated_answer_is_fetched_by_tcp)
{
    NameServer server([](std::string_view query, bool tcp) {
        if (!tcp)
            return Packets{Reply(query).truncated().bytes()};
        Reply reply(query);
        for (unsigned i = 0; i < 200; ++i)
            reply.answer({"big.example", 16, 60, test::txt_data({std::string(250, char('a' + i % 26))})});
        return Packets{reply.bytes()};
    });
    util::log::to_nowhere();
    auto answer = resolver_for(server).txt("big.example");
    EQ(answer.status, Status::Found);
    EQ(answer.records.size(), max_records);
    EQ(server.tcp_queries(), 1);
}
END_TEST

TEST(a_packet_that_is_too_large_is_fetched_by_tcp)
{
    NameServer server([](std::string_view query, bool tcp) {
        return Packets{Reply(query).answer({"a.example", 16, 60, test::txt_data({tcp ? "short" : std::string(255, 'x')})})
                           .bytes() + (tcp ? "" : std::string(5000, 'x'))};
    });
    EQ(show(resolver_for(server).txt("a.example")), "found short");
}
END_TEST

TEST(an_answer_that_drips_in_is_given_up_in_time)
{
    NameServer server([](std::string_view query, bool tcp) {
        return Packets{tcp ? Reply(query).answer({"a.example", 16, 60, test::txt_data({std::string(200, 'x')})}).bytes()
                           : Reply(query).truncated().bytes()};
    });
    server.drip(20ms);   // 5 s in all
    Settings settings = settings_for({server.text()}, 1s);
    settings.attempts = 1;
    EQ(show(Resolver::open(settings)->txt("a.example")), "try again");
    EQ(server.tcp_queries(), 1);
}
END_TEST

TEST(failures_over_tcp_are_temporary)
{
    NameServer closes([](std::string_view query, bool tcp) {
        return tcp ? Packets{} : Packets{Reply(query).truncated().bytes()};
    });
    auto answer = resolver_for(closes).mx("a.example");
    EQ(show(answer), "try again");
    EQ(closes.tcp_queries(), 1);
    THAT(answer.text.ends_with(util::concat("(lost connection from ", closes.text(), ')')));
    NameServer wrong([](std::string_view query, bool tcp) {
        return Packets{tcp ? Reply(query).id(test::id_of(query) ^ 1).bytes() : Reply(query).truncated().bytes()};
    });
    EQ(show(resolver_for(wrong).mx("a.example")), "malformed");
}
END_TEST

TEST(strangers_packets_are_passed_over)
{
    NameServer server([](std::string_view query, bool) {
        auto good = [&] { return Reply(query); };
        return Packets{good().id(test::id_of(query) ^ 1).answer({"a.example", 1, 60, test::a_data("192.0.2.66")}).bytes(),
                       good().question("b.example", 1).answer({"b.example", 1, 60, test::a_data("192.0.2.66")}).bytes(),
                       good().question("a.example", 28).bytes(),
                       "", "x", std::string(query),
                       good().answer({"a.example", 1, 60, test::a_data("192.0.2.1")}).bytes()};
    });
    EQ(show(resolver_for(server).addresses("a.example", Families::V4)), "found 192.0.2.1");
    EQ(server.tcp_queries(), 0);
}
END_TEST

TEST(who_guesses_ids_makes_us_ask_by_tcp)
{
    NameServer server([](std::string_view query, bool tcp) {
        if (tcp)
            return Packets{Reply(query).answer({"a.example", 1, 60, test::a_data("192.0.2.1")}).bytes()};
        Packets guesses;
        for (unsigned i = 1; i <= 10; ++i)
            guesses.push_back(
                Reply(query).id(test::id_of(query) ^ i).answer({"a.example", 1, 60, test::a_data("192.0.2.66")}).bytes());
        return guesses;
    });
    EQ(show(resolver_for(server).addresses("a.example", Families::V4)), "found 192.0.2.1");
    EQ(server.tcp_queries(), 1);
}
END_TEST

TEST(packets_from_other_sockets_do_not_arrive)
{
    // Another server sends the answer, to the right port.
    std::atomic<int> sent = 0;
    NameServer server([&](std::string_view query, bool) {
        sent++;
        return Packets{Reply(query).answer({"a.example", 1, 60, test::a_data("192.0.2.1")}).bytes()};
    });
    server.answer_from_another_port();
    auto settings = settings_for({server.text()}, 100ms);
    settings.attempts = 1;
    EQ(show(Resolver::open(settings)->addresses("a.example", Families::V4)), "try again");
    EQ(heard(server, 1), 1);
    EQ(sent, 1);
}
END_TEST

TEST(each_query_has_an_id_of_its_own)
{
    std::mutex mutex;
    std::vector<unsigned> ids;
    Zone zone = example();
    NameServer server([&](std::string_view query, bool) {
        std::lock_guard lock(mutex);
        ids.push_back(test::id_of(query));
        return Packets{zone.answer(query)};
    });
    Resolver dns = resolver_for(server);
    for (int i = 0; i < 20; ++i)
        dns.addresses(util::concat('h', i, ".example"), Families::V4);
    std::lock_guard lock(mutex);
    std::ranges::sort(ids);
    // Of 20 random ids two may be equal, but hardly three pairs.
    THAT(ids.end() - std::unique(ids.begin(), ids.end()) <= 2);
}
END_TEST

TEST(a_server_that_fails_is_followed_by_the_next)
{
    NameServer good(example().script());
    for (unsigned code : {2U, 5U, 4U, 9U}) {
        NameServer bad(answers([code](std::string_view query) { return Reply(query).code(code).bytes(); }));
        Resolver dns = Resolver::open(settings_for({bad.text(), good.text()})).take();
        EQ(show(dns.txt("example.org")), "found v=spf1 -all");
        Resolver alone = resolver_for(bad);
        int before = bad.udp_queries();
        auto answer = alone.txt("example.org");
        EQ(show(answer), "try again");
        THAT(answer.temporary());
        // What it said it is not asked again, but perhaps without EDNS.
        EQ(bad.udp_queries() - before, code == 4 ? 2 : 1);
    }
}
END_TEST

TEST(a_server_that_only_refers_to_others_is_followed_by_the_next)
{
    NameServer lame(answers([](std::string_view query) {
        return Reply(query).without_recursion().authority({"org", 2, 60, test::wire_name("ns.example")}).bytes();
    }));
    NameServer good(example().script());
    EQ(show(Resolver::open(settings_for({lame.text(), good.text()}))->txt("example.org")), "found v=spf1 -all");
    EQ(show(resolver_for(lame).txt("example.org")), "try again");
}
END_TEST

TEST(the_text_names_server_and_code)
{
    NameServer bad(answers([](std::string_view query) { return Reply(query).code(2).bytes(); }));
    EQ(resolver_for(bad).mx("a.example").text,
       util::concat("Host or domain name not found. Name service error for name=a.example type=MX: Host not found, try again "
                    "(SERVFAIL from ", bad.text(), ')'));
}
END_TEST

TEST(a_server_that_does_not_know_edns_is_asked_without)
{
    for (bool with_question : {true, false}) {
        NameServer old(answers([&](std::string_view query) {
            if (!test::has_edns(query))
                return Reply(query).answer({"a.example", 1, 60, test::a_data("192.0.2.1")}).bytes();
            return with_question ? Reply(query).code(1).bytes() : Reply(query).code(1).no_question().bytes();
        }));
        EQ(show(resolver_for(old).addresses("a.example", Families::V4)), "found 192.0.2.1");
        EQ(old.udp_queries(), 2);
    }
}
END_TEST

TEST(a_silent_server_is_asked_again_and_later_last)
{
    Clock clock;
    NameServer silent([](std::string_view, bool) { return Packets{}; });
    NameServer good(example().script());
    auto settings = settings_for({silent.text(), good.text()}, 2s);
    settings.clocks.now = clock.function();
    Resolver dns = Resolver::open(settings).take();
    EQ(show(dns.txt("example.org")), "found v=spf1 -all");
    EQ(heard(silent, 1), 1);
    EQ(show(dns.ns("example.org")), "found ns.example.org");
    EQ(silent.udp_queries(), 1);
    clock.pass(61s);
    EQ(show(dns.mx("null.example")), "found 0:");
    EQ(heard(silent, 2), 2);
}
END_TEST

TEST(a_lost_packet_is_sent_again)
{
    auto count = std::make_shared<std::atomic<int>>(0);
    Zone zone = example();
    NameServer server([count, zone](std::string_view query, bool) {
        return (*count)++ == 0 ? Packets{} : Packets{zone.answer(query)};
    });
    Resolver dns = Resolver::open(settings_for({server.text()}, 2s)).take();
    EQ(show(dns.txt("example.org")), "found v=spf1 -all");
    EQ(server.udp_queries(), 2);
}
END_TEST

TEST(silence_ends_with_the_last_attempt)
{
    NameServer silent([](std::string_view, bool) { return Packets{}; });
    auto settings = settings_for({silent.text()}, 50ms);
    settings.attempts = 3;
    auto answer = Resolver::open(settings)->mx("a.example");
    EQ(show(answer), "try again");
    EQ(heard(silent, 3), 3);
    THAT(answer.text.ends_with(util::concat("(timeout from ", silent.text(), ')')));
}
END_TEST

TEST(no_call_waits_beyond_the_deadline)
{
    NameServer silent([](std::string_view, bool) { return Packets{}; });
    Resolver dns = Resolver::open(settings_for({silent.text()}, 60s)).take();
    dns.set_deadline(util::Deadline::in(100ms));
    auto begin = util::now();
    EQ(show(dns.mx("a.example")), "try again");
    THAT(util::now() - begin < 30s);
    EQ(heard(silent, 1), 1);
    // What is past is not asked at all.
    EQ(dns.mx("b.example").text,
       "Host or domain name not found. Name service error for name=b.example type=MX: Host not found, "
       "try again (no time left)");
    EQ(silent.udp_queries(), 1);
}
END_TEST

TEST(a_signal_that_means_stop_ends_all_questions)
{
    static std::atomic<bool> stopped;
    struct sigaction action{};
    action.sa_handler = [](int) { stopped = true; };
    ::sigaction(SIGUSR1, &action, nullptr);
    pthread_t waiting = ::pthread_self();
    // The first packet that arrives sends it, so that somebody waits already, or is about to: then again.
    std::atomic<bool> over = false;
    std::thread sender;
    NameServer silent([&](std::string_view, bool) {
        if (!sender.joinable())
            sender = std::thread([&] {
                while (!over) {
                    ::pthread_kill(waiting, SIGUSR1);
                    ::poll(nullptr, 0, 10);
                }
            });
        return Packets{};
    });
    auto settings = settings_for({silent.text()}, 60s);
    settings.wants_stop = [] { return stopped.load(); };
    auto begin = util::now();
    auto answer = Resolver::open(settings)->addresses("a.example");
    over = true;
    sender.join();
    EQ(show(answer), "try again");
    THAT(answer.text.ends_with("(interrupted)"));
    THAT(util::now() - begin < 30s);
}
END_TEST

TEST(without_descriptors_a_question_is_for_later)
{
    NameServer server(example().script());
    Resolver dns = resolver_for(server);
    Answer<Mx> answer;
    {
        test::NoDescriptors none;
        answer = dns.mx("example.org");
    }
    EQ(show(answer), "try again");
    THAT(answer.text.find("Too many open files") != std::string::npos);
    EQ(show(dns.mx("example.org")), "found 10:mx1.example.org 20:mx2.example.org");
}
END_TEST

TEST(a_port_where_nobody_listens_is_known_at_once)
{
    std::string text;
    {
        NameServer gone(example().script());
        text = gone.text();
    }
    Resolver dns = Resolver::open(settings_for({text}, 60s)).take();
    auto begin = util::now();
    auto answer = dns.mx("a.example");
    EQ(show(answer), "try again");
    THAT(answer.text.find("Connection refused") != std::string::npos);
    THAT(util::now() - begin < 30s);
}
END_TEST

TEST(garbage_is_malformed_and_the_next_server_is_asked)
{
    NameServer garbage(answers([](std::string_view query) { return Reply(query).count_answers(3).bytes(); }));
    auto answer = resolver_for(garbage).mx("a.example");
    EQ(show(answer), "malformed");
    EQ(garbage.udp_queries(), 1);
    NameServer good(example().script());
    EQ(show(Resolver::open(settings_for({garbage.text(), good.text()}))->txt("example.org")), "found v=spf1 -all");
    // Beside a server that may have it later, it is a matter of time.
    NameServer failing(answers([](std::string_view query) { return Reply(query).code(2).bytes(); }));
    EQ(show(Resolver::open(settings_for({failing.text(), garbage.text()}))->mx("a.example")), "try again");
}
END_TEST

TEST(too_many_records_of_one_name_are_cut)
{
    NameServer server([](std::string_view query, bool tcp) {
        Reply reply(query);
        for (unsigned i = 0; i < 101; ++i)
            reply.answer({"many.example", 15, 60, test::mx_data(200 - i, "mx.example")});
        return Packets{tcp ? reply.bytes() : Reply(query).truncated().bytes()};
    });
    util::log::to_nowhere();
    auto answer = resolver_for(server).mx("many.example");
    EQ(answer.records.size(), 100);
    EQ(answer.records[0].preference, 100);
    EQ(answer.records[99].preference, 199);
}
END_TEST

TEST(answers_are_kept_for_their_time)
{
    Clock clock;
    NameServer server(example().script());
    auto settings = settings_for({server.text()});
    settings.clocks.now = clock.function();
    Resolver dns = Resolver::open(settings).take();
    dns.mx("example.org");
    clock.pass(299s);
    auto again = dns.mx("EXAMPLE.org");
    EQ(show(again), "found 10:mx1.example.org 20:mx2.example.org");
    EQ(again.ttl, util::Duration(1s));
    EQ(server.udp_queries(), 1);
    clock.pass(1s);
    dns.mx("example.org");
    EQ(server.udp_queries(), 2);
    // A negative answer for the time that its SOA record says.
    EQ(show(dns.mx("mx1.example.org")), "no data");
    EQ(show(dns.mx("mx1.example.org")), "no data");
    EQ(server.udp_queries(), 3);
    clock.pass(60s);
    EQ(show(dns.mx("mx1.example.org")), "no data");
    EQ(server.udp_queries(), 4);
}
END_TEST

TEST(failures_are_not_kept)
{
    NameServer bad(answers([](std::string_view query) { return Reply(query).code(2).bytes(); }));
    Resolver dns = resolver_for(bad);
    dns.mx("a.example");
    dns.mx("a.example");
    EQ(bad.udp_queries(), 2);
}
END_TEST

TEST(the_ad_bit_counts_from_trusted_servers_only)
{
    Zone zone = example();
    zone.authentic = true;
    NameServer server(zone.script());
    auto settings = settings_for({server.text()});
    auto answer = Resolver::open(settings)->addresses("www.example.org");
    THAT(answer.secure && answer.secure_name);  // loopback
    settings.trust_ad = TrustAd::No;
    answer = Resolver::open(settings)->addresses("www.example.org");
    THAT(!answer.secure && !answer.secure_name);
    // Of negative answers, too: a domain without TLSA records, and one whose records were taken away.
    settings.trust_ad = TrustAd::Yes;
    THAT(Resolver::open(settings)->tlsa("mx2.example.org", 25).secure);
}
END_TEST

TEST(without_ad_bit_nothing_is_secure)
{
    NameServer server(example().script());
    auto answer = resolver_for(server).addresses("mx1.example.org");
    THAT(answer.found() && !answer.secure && !answer.secure_name);
}
END_TEST

TEST(a_client_has_a_name_that_leads_back_to_it)
{
    NameServer server(example().script());
    Resolver dns = resolver_for(server);
    auto client = dns.confirm("192.0.2.1");
    EQ(client.name, "mx1.example.org");  // the second PTR record's
    EQ(client.reverse, "mx1.example.org");
    EQ(client.text, "");
    client = dns.confirm("192.0.2.3");
    EQ(client.name, "");
    EQ(client.reverse, "mx1.example.org");
    EQ(client.forward_status, Status::Found);
    EQ(client.text, "hostname mx1.example.org does not resolve to address 192.0.2.3");
    client = dns.confirm("192.0.2.4");
    EQ(client.name, "");
    EQ(client.reverse_status, Status::Found);
    EQ(client.forward_status, Status::NoSuchName);
    client = dns.confirm("192.0.2.5");
    EQ(client.reverse, "");
    EQ(client.reverse_status, Status::NoSuchName);
}
END_TEST

TEST(at_most_ten_names_of_a_client_are_looked_at)
{
    for (std::size_t right : {max_reverse_names, max_reverse_names + 1}) {
        Zone zone;
        for (std::size_t i = 1; i <= right; ++i)
            zone.add("1.2.0.192.in-addr.arpa", Type::Ptr, test::wire_name(util::concat('h', i, ".example")));
        zone.add(util::concat('h', right, ".example"), Type::A, test::a_data("192.0.2.1"));
        NameServer server(zone.script());
        EQ(resolver_for(server).confirm("192.0.2.1").name, right == max_reverse_names ? "h10.example" : "");
    }
}
END_TEST

TEST(a_name_that_cannot_be_asked_for_now_may_be_right)
{
    Zone zone = example();
    NameServer server(answers([zone](std::string_view query) {
        return test::asked_type(query) == 12 ? zone.answer(query) : Reply(query).code(2).bytes();
    }));
    auto client = resolver_for(server).confirm("192.0.2.1");
    EQ(client.name, "");
    EQ(client.reverse, "other.example.org");
    EQ(client.forward_status, Status::TryAgain);
}
END_TEST

TEST(one_family_may_fail_if_the_other_is_found)
{
    Zone zone = example();
    NameServer server(answers([zone](std::string_view query) {
        return test::asked_type(query) == 28 ? Reply(query).code(2).bytes() : zone.answer(query);
    }));
    Resolver dns = resolver_for(server);
    EQ(show(dns.addresses("mx1.example.org")), "found 192.0.2.1");
    // Without the other it decides.
    EQ(show(dns.addresses("nowhere.example.org")), "try again");
}
END_TEST

TEST(a_changed_resolv_conf_empties_the_cache)
{
    Zone other;
    other.add("example.org", Type::Txt, test::txt_data({"other"}));
    NameServer first(example().script()), second(other.script());
    char directory[] = "/tmp/dns_test.XXXXXX";
    THAT(::mkdtemp(directory) != nullptr);
    std::string file = util::concat(directory, "/resolv.conf");
    OK(util::sys::replace_file(file, util::concat("nameserver ", first.text())));
    Settings settings;
    settings.resolv_conf = file;
    Resolver dns = Resolver::open(settings).take();
    EQ(show(dns.txt("example.org")), "found v=spf1 -all");
    OK(util::sys::replace_file(file, util::concat("nameserver ", second.text(), '\n')));
    auto end = util::Deadline::in(20s);
    while (show(dns.txt("example.org")) != "found other" && !end.passed()) {
    }
    EQ(show(dns.txt("example.org")), "found other");
    OK(util::sys::unlink(file));
    OK(util::sys::rmdir(directory));
}
END_TEST

}  // namespace

SUITE(dns, records_of_each_type_are_found, both_families_of_addresses_come_together,
      many_hosts_are_asked_for_at_once_in_their_order, questions_wait_for_one_another_only_beyond_max_parallel,
      aliases_are_followed, a_server_that_does_not_follow_aliases_is_asked_for_their_targets,
      aliases_that_never_end_are_malformed, a_null_mx_is_told, names_that_cannot_be_are_not_asked_for,
      a_truncated_answer_is_fetched_by_tcp, a_packet_that_is_too_large_is_fetched_by_tcp,
      an_answer_that_drips_in_is_given_up_in_time, failures_over_tcp_are_temporary, strangers_packets_are_passed_over,
      who_guesses_ids_makes_us_ask_by_tcp, packets_from_other_sockets_do_not_arrive, each_query_has_an_id_of_its_own,
      a_server_that_fails_is_followed_by_the_next, the_text_names_server_and_code,
      a_server_that_only_refers_to_others_is_followed_by_the_next, a_server_that_does_not_know_edns_is_asked_without,
      a_silent_server_is_asked_again_and_later_last, a_lost_packet_is_sent_again, silence_ends_with_the_last_attempt,
      no_call_waits_beyond_the_deadline, a_signal_that_means_stop_ends_all_questions,
      without_descriptors_a_question_is_for_later, a_port_where_nobody_listens_is_known_at_once,
      garbage_is_malformed_and_the_next_server_is_asked, too_many_records_of_one_name_are_cut, answers_are_kept_for_their_time,
      failures_are_not_kept, the_ad_bit_counts_from_trusted_servers_only, without_ad_bit_nothing_is_secure,
      a_client_has_a_name_that_leads_back_to_it, at_most_ten_names_of_a_client_are_looked_at,
      a_name_that_cannot_be_asked_for_now_may_be_right, one_family_may_fail_if_the_other_is_found,
      a_changed_resolv_conf_empties_the_cache)
