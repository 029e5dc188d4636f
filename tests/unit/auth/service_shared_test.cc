// Log-ins that share a check.
#include "tests/unit/auth/service_fixture.h"
#include "tests/unit/no_descriptors.h"

#include <algorithm>
#include <csignal>
#include <set>
#include <unistd.h>

namespace {

using namespace test;
using Fixture = AuthFixture;

// Log-ins that reach auth(8) together, each on a connection of its own.
struct Login {
    std::string user, password, authzid = {};
};
std::vector<ipc::AuthenticationResult> at_once(Fixture& f, const std::vector<Login>& logins)
{
    std::vector<ipc::Connection> peers;
    for (const Login& login : logins) {
        peers.push_back(f.connect(77));
        ipc::Authenticate request;
        request.exchange = 1;
        request.service = ipc::Service::Imap;
        request.mechanism = "PLAIN";
        request.tls = true;
        request.wants_ticket = true;
        request.initial = util::concat(login.authzid, '\0', login.user, '\0', login.password);
        OK(peers.back().send(request));
    }
    std::vector<ipc::AuthenticationResult> results(logins.size());
    std::vector<bool> answered(logins.size());
    for (int round = 0; round < 10'000 && std::ranges::find(answered, false) != answered.end(); ++round) {
        f.loop->run_for(std::chrono::milliseconds(10));
        for (std::size_t i = 0; i < peers.size(); ++i) {
            auto packet = ipc::receive_packet(peers[i].fd(), MSG_DONTWAIT);
            if (!packet.ok() || !*packet)
                continue;
            THAT(!answered[i]);
            results[i] = ipc::decode<ipc::AuthenticationResult>(**packet).take();
            answered[i] = true;
        }
    }
    THAT(std::ranges::find(answered, false) == answered.end());
    return results;
}

// The processes that this one has started.
std::vector<pid_t> children()
{
    auto text = util::sys::read_file(util::concat("/proc/self/task/", ::getpid(), "/children"), 4096).take();
    std::vector<pid_t> pids;
    for (std::string_view word : util::split(text, ' '))
        if (auto pid = util::parse_unsigned(word))
            pids.push_back(pid_t(*pid));
    return pids;
}

TEST(the_same_log_in_at_once_is_checked_once)
{
    Fixture f(slow_credentials(), 77, 4);
    std::set<std::string> tickets;
    for (const auto& result : at_once(f, std::vector<Login>(5, {"alice@example.org", "secret"}))) {
        EQ(result.kind, Kind::Success);
        EQ(result.account, "alice@example.org");
        tickets.insert(result.ticket);
    }
    EQ(tickets.size(), 5U);
    EQ(f.workers->checks_made(), 1U);
    EQ(f.workers->waiting(), 0U);
    // Later ones are known, also by the name's other forms; there is no check in flight any more.
    EQ(at_once(f, {{"ALICE", "secret"}, {"alice", "secret"}})[1].kind, Kind::Success);
    EQ(f.workers->checks_made(), 1U);
}
END_TEST

TEST(failures_share_a_check_and_are_each_delayed)
{
    Fixture f(slow_credentials());
    for (int round = 1; round <= 2; ++round) {
        for (const auto& result : at_once(f, std::vector<Login>(4, {"alice@example.org", "wrong"}))) {
            EQ(result.kind, Kind::Failed);
            is_about_two_seconds(result.delay);
            EQ(result.ticket, "");
        }
        // A failure is not remembered.
        EQ(f.workers->checks_made(), std::uint64_t(round));
    }
    // A name without account and one that is disabled cost the same, and share as much.
    for (const char* user : {"nobody@example.org", "off@example.org"}) {
        auto before = f.workers->checks_made();
        for (const auto& result : at_once(f, std::vector<Login>(4, {user, "secret"})))
            EQ(result.kind, Kind::Failed);
        EQ(f.workers->checks_made(), before + 1);
    }
}
END_TEST

TEST(what_differs_is_checked_by_itself)
{
    Fixture f(slow_credentials());
    auto results = at_once(f, {{"alice@example.org", "secret"}, {"alice@example.org", "Secret"}, {"off@example.org", "secret"},
                               {"alice@example.org", "secret"}});
    EQ(results[0].kind, Kind::Success);
    EQ(results[1].kind, Kind::Failed);
    EQ(results[2].kind, Kind::Failed);
    EQ(results[3].kind, Kind::Success);
    EQ(f.workers->checks_made(), 3U);
    // Who shares a check still needs leave of his own.
    f.service->change(f.settings);
    results = at_once(f, {{"alice@example.org", "secret", "off@example.org"}, {"alice@example.org", "secret"}});
    EQ(results[0].kind, Kind::Failed);
    EQ(results[1].kind, Kind::Success);
    EQ(f.workers->checks_made(), 4U);
}
END_TEST

TEST(those_who_share_a_check_count_as_waiting)
{
    Fixture f(slow_credentials());  // one worker, three may wait
    std::vector<int> kinds(3);
    for (const auto& result : at_once(f, std::vector<Login>(7, {"alice@example.org", "secret"})))
        ++kinds[result.kind == Kind::Success ? 0 : result.kind == Kind::Unavailable ? 1 : 2];
    EQ(kinds[0], 4);
    EQ(kinds[1], 3);
    EQ(f.workers->checks_made(), 1U);
    // Shared or not is the same.
    std::fill(kinds.begin(), kinds.end(), 0);
    for (const auto& result :
         at_once(f, {{"alice", "a"}, {"alice", "b"}, {"alice", "b"}, {"alice", "a"}, {"alice", "b"}, {"alice", "c"}}))
        ++kinds[result.kind == Kind::Success ? 0 : result.kind == Kind::Unavailable ? 1 : 2];
    EQ(kinds[1], 2);
    EQ(kinds[2], 4);
    EQ(f.workers->checks_made(), 3U);
    EQ(f.workers->waiting(), 0U);
}
END_TEST

TEST(a_worker_that_dies_over_a_check_answers_all_who_shared_it)
{
    Fixture f(slow_credentials());
    std::vector<auth::Verdict> verdicts;
    for (int i = 0; i < 3; ++i)
        f.workers->check("k", {"$5$rounds=9999999$salt$x", "", "secret"},
                         [&](auth::Verdict verdict) { verdicts.push_back(verdict); });
    EQ(f.workers->waiting(), 2U);
    for (pid_t pid : children())
        EQ(::kill(pid, SIGKILL), 0);
    for (int round = 0; round < 10'000 && verdicts.size() < 3; ++round)
        f.loop->run_for(std::chrono::milliseconds(10));
    EQ(verdicts.size(), 3U);
    for (auth::Verdict verdict : verdicts)
        THAT(verdict == auth::Verdict::Unavailable);
    EQ(f.workers->waiting(), 0U);
    EQ(f.plain("alice@example.org", "secret").kind, Kind::Success);
}
END_TEST

TEST(says_why_a_password_was_not_checked)
{
    Fixture f(slow_credentials());  // one worker, three may wait
    std::set<std::string> reasons;
    for (const auto& result : at_once(f, std::vector<Login>(7, {"alice@example.org", "secret"})))
        if (result.kind == Kind::Unavailable)
            reasons.insert(result.text);
    EQ(reasons.size(), 1U);
    EQ(*reasons.begin(), "password checks are overloaded");
    // Without a worker yet, and no descriptor for the connection to one.
    Fixture bare;
    std::vector<auth::Verdict> verdicts;
    {
        test::NoDescriptors shortage;
        bare.workers->check("k", {"$5$salt$x", "", "secret"}, [&](auth::Verdict verdict) { verdicts.push_back(verdict); });
        bare.loop->run_for(std::chrono::milliseconds(10));
    }
    EQ(verdicts.size(), 1U);
    THAT(verdicts[0] == auth::Verdict::Unavailable);
    EQ(bare.plain("alice@example.org", "secret").kind, Kind::Success);
}
END_TEST

}  // namespace

SUITE(auth_service_shared, the_same_log_in_at_once_is_checked_once, failures_share_a_check_and_are_each_delayed,
      what_differs_is_checked_by_itself, those_who_share_a_check_count_as_waiting,
      a_worker_that_dies_over_a_check_answers_all_who_shared_it, says_why_a_password_was_not_checked)
