#include "libutil/log.h"
#include "smtpd/policy_protocol.h"
#include "smtpd/policy_server.h"
#include "tests/unit/suite.h"

#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;

TEST(servers_are_named_with_or_without_settings)
{
    auto plain = smtpd::parse_policy_spec("inet:127.0.0.1:10023");
    OK(plain);
    EQ(plain->host, "127.0.0.1");
    EQ(plain->port, "10023");
    THAT(!plain->timeout && !plain->default_action);
    auto six = smtpd::parse_policy_spec("inet:[::1]:7");
    OK(six);
    EQ(six->host, "::1");
    auto whole = smtpd::parse_policy_spec(
        "{ unix:private/policy, timeout=10s, max_idle=5, max_ttl=1m, request_limit=3\n"
        "try_limit=1 retry_delay=100ms, policy_context=submission, { default_action = 450 4.7.0 later } }");
    OK(whole);
    THAT(whole->local);
    EQ(whole->path, "private/policy");
    THAT(*whole->timeout == 10s && *whole->max_idle == 5s && *whole->max_ttl == 60s && *whole->retry_delay == 100ms);
    THAT(*whole->request_limit == 3 && *whole->try_limit == 1);
    EQ(*whole->policy_context, "submission");
    EQ(*whole->default_action, "450 4.7.0 later");
}
END_TEST

TEST(what_is_no_server_is_an_error_with_its_reason)
{
    for (const char* bad :
         {"", "127.0.0.1:10023", "inet:host", "inet:host:0", "inet:host:65536", "inet:host:smtp", "unix:", "{}", "{ }",
          "inet:a b:1", "{ inet:h:1", "{ inet:h:1, timeout }", "{ inet:h:1, timeout=0 }", "{ inet:h:1, timeout=x }",
          "{ inet:h:1, try_limit=0 }", "{ inet:h:1, limit=5 }", "{ timeout=5, inet:h:1 }"})
        THAT(!smtpd::parse_policy_spec(bad).ok());
}
END_TEST

TEST(a_value_cannot_end_its_line)
{
    smtpd::PolicyRequest request;
    request.add("sender", "a\nrecipient=b\r\t\x7f@c");
    request.add("size", std::uint64_t(17));
    EQ(request.take(), "sender=a?recipient=b???@c\nsize=17\n\n");
    EQ(request.take(), "\n");
}
END_TEST

TEST(an_answer_has_one_action)
{
    EQ(*smtpd::parse_policy_answer("action=DUNNO"), "DUNNO");
    EQ(*smtpd::parse_policy_answer("x=1\naction= 550 5.7.1 a = b \nreason="), "550 5.7.1 a = b");
    for (const char* bad : {"", "action", "action=", "=DUNNO", "x=1", "action=OK\naction=REJECT", "action=OK\nnonsense",
                            "action=a\rb", "action=a\x01", "action=\xff", "ACTION=OK"})
        THAT(!smtpd::parse_policy_answer(bad).ok());
    THAT(!smtpd::parse_policy_answer(std::string("action=a\0b", 10)).ok());
    std::string many = "action=OK";
    for (std::size_t i = 1; i < smtpd::max_policy_attributes; ++i)
        many += "\nx=1";
    THAT(smtpd::parse_policy_answer(many).ok());
    THAT(!smtpd::parse_policy_answer(many + "\nx=1").ok());
}
END_TEST

// --- servers -----------------------------------------------------------------------------------------

constexpr const char* hang = "hang";

// A child that answers so many requests over one connection, then closes; "hang" waits for ever instead.
util::UniqueFd serve(const std::vector<std::string>& answers)
{
    int ends[2];
    THAT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    pid_t child = ::fork();
    THAT(child >= 0);
    if (child > 0) {
        ::close(ends[1]);
        return util::UniqueFd(ends[0]);
    }
    ::close(ends[0]);
    ::alarm(30);
    for (const std::string& answer : answers) {
        std::string request;
        char byte;
        while (!request.ends_with("\n\n")) {
            if (::read(ends[1], &byte, 1) != 1)
                ::_exit(0);
            request += byte;
        }
        if (answer == hang)
            ::pause();
        if (::write(ends[1], answer.data(), answer.size()) < 0)
            ::_exit(0);
    }
    ::_exit(0);
}

struct Fixture {
    smtpd::PolicySettings settings{.name = "inet:127.0.0.1:1",
                                   .timeout = 5s,
                                   .max_idle = 300s,
                                   .max_ttl = 1000s,
                                   .retry_delay = 1s,
                                   .request_limit = 0,
                                   .try_limit = 2,
                                   .default_action = "",
                                   .policy_context = ""};
    std::vector<std::vector<std::string>> connections;   // what each is answered
    std::size_t connected = 0;
    util::Duration slept{};

    smtpd::PolicyServer server()
    {
        util::log::to_nowhere();
        return {settings,
                [this](util::Deadline) -> util::Result<util::UniqueFd> {
                    if (connected == connections.size())
                        return util::temporary("nobody listens");
                    return serve(connections[connected++]);
                },
                [this](util::Duration time) { slept += time; }};
    }
};

TEST(one_connection_serves_many_requests)
{
    Fixture fixture;
    fixture.connections = {{"action=one\n\n", "action=two\n\n", "action=three\r\n\r\n"}};
    auto server = fixture.server();
    EQ(*server.ask("a=1\n\n"), "one");
    EQ(*server.ask("a=2\n\n"), "two");
    EQ(*server.ask("a=3\n\n"), "three");
    THAT(fixture.connected == 1 && fixture.slept == 0s);
}
END_TEST

TEST(a_connection_that_was_closed_is_replaced_without_a_pause)
{
    Fixture fixture;
    fixture.settings.try_limit = 1;
    fixture.connections = {{"action=one\n\n"}, {"action=two\n\n"}};
    auto server = fixture.server();
    EQ(*server.ask("a=1\n\n"), "one");
    EQ(*server.ask("a=2\n\n"), "two");
    THAT(fixture.slept == 0s);
    THAT(!server.ask("a=3\n\n").ok());
}
END_TEST

TEST(request_limit_and_ages_end_a_connection)
{
    Fixture fixture;
    fixture.settings.request_limit = 1;
    fixture.connections = {{"action=1\n\n", "action=no\n\n"}, {"action=2\n\n", "action=no\n\n"}};
    auto server = fixture.server();
    EQ(*server.ask("\n\n"), "1");
    EQ(*server.ask("\n\n"), "2");
    for (bool idle : {true, false}) {
        Fixture other;
        (idle ? other.settings.max_idle : other.settings.max_ttl) = 0s;
        other.connections = fixture.connections;
        auto aged = other.server();
        EQ(*aged.ask("\n\n"), "1");
        EQ(*aged.ask("\n\n"), "2");
    }
}
END_TEST

TEST(what_a_server_says_unasked_is_never_the_next_answer)
{
    Fixture fixture;
    fixture.connections = {{"action=one\n\naction=evil\n\n", "action=worse\n\n"}, {"action=two\n\n"}};
    auto server = fixture.server();
    EQ(*server.ask("\n\n"), "one");
    EQ(*server.ask("\n\n"), "two");
}
END_TEST

TEST(garbage_is_asked_again_once_and_then_an_error)
{
    std::string endless = "action=";
    endless.append(2 * smtpd::max_policy_answer, 'x');
    std::string lines;
    for (std::size_t i = 0; i < smtpd::max_policy_answer; ++i)
        lines += "a=1\n";
    for (const std::string& garbage :
         {std::string("hello\n\n"), std::string("\n"), std::string("action=a\naction=b\n\n"), std::string("acti"),
          std::string("action=OK\n"), endless + "\n\n", lines, std::string("")}) {
        Fixture fixture;
        fixture.connections = {{garbage}, {garbage}};
        auto server = fixture.server();
        THAT(!server.ask("\n\n").ok());
        THAT(fixture.connected == 2 && fixture.slept == 1s);
        Fixture better;
        better.connections = {{garbage}, {"action=good\n\n"}};
        auto second = better.server();
        EQ(*second.ask("\n\n"), "good");
    }
}
END_TEST

TEST(a_server_that_hangs_costs_its_timeout_and_no_more)
{
    Fixture fixture;
    fixture.settings.timeout = 50ms;
    fixture.connections = {{hang}, {"action", hang}};
    auto server = fixture.server();
    util::Instant start = util::now();
    auto answer = server.ask("\n\n");
    THAT(!answer.ok());
    THAT(util::now() - start >= 50ms && util::now() - start < 60s);
    // The second connection ended in the middle of its answer.
    THAT(fixture.connected == 2);
}
END_TEST

TEST(nobody_there_is_an_error_after_the_last_try)
{
    Fixture fixture;
    fixture.settings.try_limit = 3;
    auto server = fixture.server();
    auto answer = server.ask("\n\n");
    THAT(!answer.ok());
    EQ(answer.error().text, "nobody listens");
    THAT(fixture.slept == 2s);
}
END_TEST

TEST(a_host_is_looked_up_when_its_time_is_over)
{
    util::log::to_nowhere();
    int asked = 0;
    util::Result<smtpd::PolicyHost::Found> answer = smtpd::PolicyHost::Found{{"192.0.2.2"}, 60s};
    const util::Instant start = util::now();
    smtpd::PolicyHost host("policy.example", {"192.0.2.1"}, start + 10s, [&](const std::string& name) {
        ++asked;
        EQ(name, "policy.example");
        return answer;
    });
    auto first = [&](util::Duration after) {
        auto addresses = host.addresses(start + after);
        return addresses.ok() ? addresses->front() : addresses.error().text;
    };
    EQ(first(9s), "192.0.2.1");
    EQ(asked, 0);
    EQ(first(10s), "192.0.2.2");
    EQ(first(69s), "192.0.2.2");
    EQ(asked, 1);
    // What was known is better than nothing, and name servers are not asked each time.
    answer = util::temporary("no answer");
    EQ(first(70s), "192.0.2.2");
    EQ(first(70s + smtpd::failed_host_age - 1s), "192.0.2.2");
    EQ(asked, 2);
    // A TTL of nothing, or of a year, counts within bounds.
    answer = smtpd::PolicyHost::Found{{"192.0.2.3"}, 0s};
    EQ(first(200s), "192.0.2.3");
    EQ(first(200s + smtpd::min_host_age - 1s), "192.0.2.3");
    EQ(asked, 3);
    std::vector<std::string> many(100, "192.0.2.4");
    answer = smtpd::PolicyHost::Found{many, std::chrono::hours(9000)};
    EQ(host.addresses(start + 300s)->size(), smtpd::max_host_addresses);
    answer = smtpd::PolicyHost::Found{{"192.0.2.5"}, 60s};
    EQ(first(300s + smtpd::max_host_age - 1s), "192.0.2.4");
    EQ(first(300s + smtpd::max_host_age), "192.0.2.5");
}
END_TEST

TEST(a_host_that_nobody_knows_is_asked_for_each_time)
{
    util::log::to_nowhere();
    int asked = 0;
    smtpd::PolicyHost host("policy.example", {}, util::Instant::min(),
                           [&](const std::string&) -> util::Result<smtpd::PolicyHost::Found> {
                               return ++asked < 3 ? util::Result<smtpd::PolicyHost::Found>(util::temporary("not found"))
                                                  : smtpd::PolicyHost::Found{{"::1"}, 60s};
                           });
    for (int i = 0; i < 2; ++i)
        EQ(host.addresses(util::now()).error().text, "policy.example: not found");
    EQ(host.addresses(util::now())->front(), "::1");
}
END_TEST

}  // namespace

SUITE(policy, a_host_is_looked_up_when_its_time_is_over, a_host_that_nobody_knows_is_asked_for_each_time,
      servers_are_named_with_or_without_settings, what_is_no_server_is_an_error_with_its_reason, a_value_cannot_end_its_line,
      an_answer_has_one_action, one_connection_serves_many_requests, a_connection_that_was_closed_is_replaced_without_a_pause,
      request_limit_and_ages_end_a_connection, what_a_server_says_unasked_is_never_the_next_answer,
      garbage_is_asked_again_once_and_then_an_error, a_server_that_hangs_costs_its_timeout_and_no_more,
      nobody_there_is_an_error_after_the_last_try)
