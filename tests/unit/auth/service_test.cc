#include "auth/service.h"
#include "libipc/connection.h"
#include "libnet/crypto.h"
#include "libutil/log.h"
#include "libutil/sys.h"
#include "tests/unit/no_descriptors.h"
#include "tests/unit/suite.h"

#include <algorithm>
#include <crypt.h>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <set>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using Kind = ipc::AuthenticationResult::Kind;

// The service in a loop of its own, files in a scratch directory, and one peer.
class Fixture {
public:
    explicit Fixture(std::string_view credentials = {}, uid_t uid = 77, std::size_t may_wait = 3)
    {
        util::log::to_nowhere();
        char name[] = "/tmp/tern-auth-test-XXXXXX";
        CHECK(::mkdtemp(name));
        directory = name;
        conf::Account alice{"alice@example.org", 5000, 5000, "/home/alice", {}};
        conf::Account off{"off@example.org", 5001, 5001, "/home/off", {"disabled"}};
        OK(conf::write_accounts(directory + "/accounts", {alice, off}));
        write_credentials(credentials.empty() ? usual() : std::string(credentials));
        accounts.emplace(directory, "example.org");
        loop.emplace(util::EventLoop::create().take());
        workers.emplace(*loop, 1, may_wait);
        settings = {.mechanisms = {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"},
                    .allow_plaintext_login = false,
                    .cache_size = 10,
                    .cache_ttl = std::chrono::hours(1),
                    .failure_delay = std::chrono::seconds(2),
                    .ticket_lifetime = std::chrono::seconds(10),
                    .usher_uid = 0};
        service.emplace(*loop, *accounts, *workers, settings);
        peer = connect(uid);
    }
    ~Fixture()
    {
        service.reset();
        workers.reset();
        for (const char* file : {"/accounts", "/credentials"})
            (void)util::sys::unlink(directory + file);
        (void)util::sys::rmdir(directory);
    }

    static std::string usual()
    {
        auto verifier = mail::to_text(mail::make_scram_verifier("secret", "salt", 4096).take());
        return util::concat(conf::credentials_version_line, "alice@example.org:{PLAIN}secret:", verifier,
                            "\noff@example.org:{PLAIN}secret:", verifier, "\n");
    }
    void write_credentials(std::string_view text)
    {
        OK(util::sys::replace_file(directory + "/credentials", text));
    }
    ipc::Connection connect(uid_t uid)
    {
        auto pair = util::sys::socket_pair(SOCK_SEQPACKET).take();
        service->accept(std::move(pair.first), uid, [this] { ++gone; });
        return ipc::Connection(std::move(pair.second));
    }

    // Sends, and runs the loop until the answer is there.
    template <typename Answer, typename Message>
    Answer call(ipc::Connection& connection, const Message& message)
    {
        OK(connection.send(message));
        for (int i = 0; i < 500; ++i) {
            loop->run_for(std::chrono::milliseconds(20));
            auto packet = ipc::receive_packet(connection.fd(), MSG_DONTWAIT);
            if (packet.ok() && *packet)
                return ipc::decode<Answer>(**packet).take();
        }
        ck_abort_msg("no answer came");
    }
    ipc::AuthenticationResult plain(std::string_view user, std::string_view password, std::string_view authzid = {},
                                    bool ticket = false)
    {
        ipc::Authenticate request;
        request.exchange = ++number;
        request.service = ipc::Service::Imap;
        request.mechanism = "PLAIN";
        request.tls = true;
        request.wants_ticket = ticket;
        request.initial = util::concat(authzid, '\0', user, '\0', password);
        return call<ipc::AuthenticationResult>(peer, request);
    }

    std::string directory;
    std::optional<auth::Accounts> accounts;
    std::optional<util::EventLoop> loop;
    std::optional<auth::Workers> workers;
    std::optional<auth::Service> service;
    auth::Settings settings;
    ipc::Connection peer;
    std::uint64_t number = 0;
    int gone = 0;
};

TEST(the_right_password_opens_and_all_failures_look_the_same)
{
    Fixture f;
    auto result = f.plain("alice@example.org", "secret");
    EQ(result.kind, Kind::Success);
    EQ(result.account, "alice@example.org");
    EQ(result.ticket, "");
    EQ(f.plain("ALICE@Example.ORG", "secret").account, "alice@example.org");
    EQ(f.plain("alice", "secret").account, "alice@example.org");
    EQ(f.plain("alice", "secret", "alice@example.org").kind, Kind::Success);
    struct Case {
        const char *user, *password, *authzid;
    };
    for (const Case& c : {Case{"alice@example.org", "wrong", ""}, Case{"nobody@example.org", "secret", ""},
                          Case{"off@example.org", "secret", ""}, Case{"alice@example.org", "wrong", "off@example.org"}}) {
        auto failed = f.plain(c.user, c.password, c.authzid);
        EQ(failed.kind, Kind::Failed);
        EQ(failed.data, "");
        EQ(failed.delay, 2'000'000);
        THAT(!failed.not_authorized);
    }
    // A second time from the cache; a wrong one still fails.
    EQ(f.plain("alice@example.org", "secret").kind, Kind::Success);
    EQ(f.plain("alice@example.org", "secret2").kind, Kind::Failed);
}
END_TEST

TEST(nobody_acts_for_another_and_is_told_so_if_the_password_was_right)
{
    Fixture f;
    for (int i = 0; i < 2; ++i) {  // the second time from the cache
        auto refused = f.plain("alice@example.org", "secret", "off@example.org");
        EQ(refused.kind, Kind::Failed);
        THAT(refused.not_authorized);
        EQ(refused.delay, 0);
        EQ(refused.ticket, "");
        EQ(refused.account, "alice@example.org");
        EQ(refused.text, "may not act as off@example.org");
    }
    EQ(f.plain("off@example.org", "secret", "alice@example.org").not_authorized, false);
}
END_TEST

TEST(a_changed_password_counts_at_once)
{
    Fixture f;
    EQ(f.plain("alice@example.org", "secret").kind, Kind::Success);
    f.write_credentials(util::concat(conf::credentials_version_line, "alice@example.org:{PLAIN}other:\n"));
    EQ(f.plain("alice@example.org", "secret").kind, Kind::Failed);
    EQ(f.plain("alice@example.org", "other").kind, Kind::Success);
    // A broken file lets nobody in, and the mended one does.
    f.write_credentials("nonsense");
    EQ(f.plain("alice@example.org", "other").kind, Kind::Failed);
    f.write_credentials(Fixture::usual());
    EQ(f.plain("alice@example.org", "secret").kind, Kind::Success);
}
END_TEST

TEST(mechanisms_follow_tls_and_verifiers)
{
    Fixture f;
    auto names = [&](bool tls, bool binding) {
        std::string text;
        for (const std::string& name : f.call<ipc::Mechanisms>(f.peer, ipc::MechanismsWanted{ipc::Service::Smtp, tls, binding}).names)
            text += name + " ";
        return text;
    };
    EQ(names(true, true), "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN ");
    EQ(names(true, false), "SCRAM-SHA-256 PLAIN LOGIN ");
    EQ(names(false, false), "SCRAM-SHA-256 ");
    f.write_credentials(util::concat(conf::credentials_version_line, "alice@example.org:{PLAIN}other:\n"));
    EQ(names(true, true), "PLAIN LOGIN ");
    EQ(names(false, false), "");
    // And what is not offered is not accepted.
    ipc::Authenticate request;
    request.exchange = 99;
    request.mechanism = "PLAIN";
    request.initial = std::string("\0alice@example.org\0other", 24);
    EQ(f.call<ipc::AuthenticationResult>(f.peer, request).kind, Kind::Invalid);
    f.settings.allow_plaintext_login = true;
    f.service->change(f.settings);
    EQ(names(false, false), "PLAIN LOGIN ");
}
END_TEST

// RFC 5802 §3, the client's side.
std::string scram_final(std::string_view password, std::string_view first_bare, const std::string& server_first,
                        std::string_view binding)
{
    auto field = [&](char name) {
        for (std::string_view part : util::split(server_first, ','))
            if (part.size() > 2 && part[0] == name && part[1] == '=')
                return std::string(part.substr(2));
        return std::string();
    };
    auto salted = net::pbkdf2_sha256(password, util::decode_base64(field('s')).take(),
                                     std::uint32_t(util::parse_unsigned(field('i')).value_or(1))).take();
    std::string key = net::hmac_sha256(salted, "Client Key");
    std::string without = util::concat("c=", util::encode_base64(binding), ",r=", field('r'));
    std::string signature = net::hmac_sha256(net::sha256(key), util::concat(first_bare, ',', server_first, ',', without));
    for (std::size_t i = 0; i < key.size(); ++i)
        key[i] = char(key[i] ^ signature[i]);
    return util::concat(without, ",p=", util::encode_base64(key));
}

ipc::AuthenticationResult scram(Fixture& f, std::string_view user, std::string_view password, bool plus)
{
    ipc::Authenticate request;
    request.exchange = ++f.number;
    request.service = ipc::Service::Imap;
    request.tls = plus;
    request.mechanism = plus ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256";
    request.wants_ticket = true;
    std::string header = plus ? "p=tls-exporter,," : "n,,";
    std::string bare = util::concat("n=", user, ",r=clientnonce");
    if (plus) {
        request.channel_binding_type = "tls-exporter";
        request.channel_binding = "0123456789abcdef0123456789abcdef";
    }
    request.initial = header + bare;
    auto challenge = f.call<ipc::AuthenticationResult>(f.peer, request);
    EQ(challenge.kind, Kind::Challenge);
    ipc::AuthenticationResponse response;
    response.exchange = f.number;
    response.response = scram_final(password, bare, challenge.data, header + request.channel_binding);
    auto result = f.call<ipc::AuthenticationResult>(f.peer, response);
    if (result.kind != Kind::Challenge)
        return result;
    // The server's proof; the client has no more to say.
    THAT(result.data.starts_with("v="));
    response.response.clear();
    return f.call<ipc::AuthenticationResult>(f.peer, response);
}

TEST(scram_proves_the_password_with_and_without_channel_binding)
{
    Fixture f;
    for (bool plus : {false, true}) {
        auto result = scram(f, "alice@example.org", "secret", plus);
        EQ(result.kind, Kind::Success);
        EQ(result.account, "alice@example.org");
        EQ(result.ticket.size(), 32U);
        EQ(scram(f, "alice@example.org", "wrong", plus).kind, Kind::Failed);
        EQ(scram(f, "nobody@example.org", "secret", plus).kind, Kind::Failed);
        EQ(scram(f, "off@example.org", "secret", plus).kind, Kind::Failed);
    }
}
END_TEST

TEST(tickets_are_redeemed_by_usher_only)
{
    Fixture f;
    auto result = f.plain("alice@example.org", "secret", "", true);
    EQ(result.ticket.size(), 32U);
    ipc::Connection usher = f.connect(0);
    ipc::RedeemTicket request{5, result.ticket, ipc::Service::Imap, 77};
    auto redeemed = f.call<ipc::TicketRedeemed>(usher, request);
    THAT(redeemed.good);
    EQ(redeemed.account, "alice@example.org");
    EQ(redeemed.request, 5U);
    THAT(!f.call<ipc::TicketRedeemed>(usher, request).good);
    // A door that asks is cut off.
    OK(f.peer.send(request));
    for (int i = 0; i < 100 && f.gone == 0; ++i)
        f.loop->run_for(std::chrono::milliseconds(10));
    EQ(f.gone, 1);
}
END_TEST

TEST(too_many_checks_are_told_to_come_again_and_a_peer_may_leave_meanwhile)
{
    Fixture f;
    std::vector<ipc::Connection> peers;
    for (int i = 0; i < 8; ++i) {
        peers.push_back(f.connect(77));
        ipc::Authenticate request;
        request.exchange = 1;
        request.mechanism = "PLAIN";
        request.tls = true;
        request.initial = util::concat('\0', "alice@example.org", '\0', "guess", i);
        OK(peers.back().send(request));
    }
    peers[0].close();
    int unavailable = 0, failed = 0;
    for (int round = 0; round < 500 && unavailable + failed < 7; ++round) {
        f.loop->run_for(std::chrono::milliseconds(20));
        for (std::size_t i = 1; i < peers.size(); ++i) {
            auto packet = ipc::receive_packet(peers[i].fd(), MSG_DONTWAIT);
            if (!packet.ok() || !*packet)
                continue;
            auto result = ipc::decode<ipc::AuthenticationResult>(**packet).take();
            (result.kind == Kind::Unavailable ? unavailable : failed)++;
        }
    }
    EQ(unavailable + failed, 7);
    THAT(unavailable > 0);
    THAT(failed >= 3);
}
END_TEST

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
    for (int round = 0; round < 1000 && std::ranges::find(answered, false) != answered.end(); ++round) {
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

// crypt(3)'s "$5$" for "secret", slow enough that what is sent at once meets.
std::string slow_credentials()
{
    crypt_data data{};
    std::string hash = crypt_r("secret", "$5$rounds=20000$salt$", &data);
    return util::concat(conf::credentials_version_line, "alice@example.org:", hash, ":\noff@example.org:", hash, ":\n");
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
            EQ(result.delay, 2'000'000);
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
    for (const auto& result : at_once(f, {{"alice", "a"}, {"alice", "b"}, {"alice", "b"}, {"alice", "a"}, {"alice", "b"}, {"alice", "c"}}))
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
        f.workers->check("k", {"$5$rounds=9999999$salt$x", "", "secret"}, [&](auth::Verdict verdict) { verdicts.push_back(verdict); });
    EQ(f.workers->waiting(), 2U);
    for (pid_t pid : children())
        EQ(::kill(pid, SIGKILL), 0);
    for (int round = 0; round < 1000 && verdicts.size() < 3; ++round)
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

TEST(garbage_closes_the_connection_and_nothing_else)
{
    Fixture f;
    ipc::Connection bad = f.connect(77);
    OK(ipc::send_packet(bad.fd(), "nonsense", {}));
    EQ(f.plain("alice@example.org", "secret").kind, Kind::Success);
    EQ(f.gone, 1);
    // A response to an exchange that never was.
    EQ(f.call<ipc::AuthenticationResult>(f.peer, ipc::AuthenticationResponse{12345, "x", false}).kind, Kind::Invalid);
}
END_TEST

}  // namespace

SUITE(auth_service, the_right_password_opens_and_all_failures_look_the_same,
      nobody_acts_for_another_and_is_told_so_if_the_password_was_right, a_changed_password_counts_at_once,
      mechanisms_follow_tls_and_verifiers, scram_proves_the_password_with_and_without_channel_binding,
      tickets_are_redeemed_by_usher_only,
      too_many_checks_are_told_to_come_again_and_a_peer_may_leave_meanwhile,
      the_same_log_in_at_once_is_checked_once, failures_share_a_check_and_are_each_delayed, what_differs_is_checked_by_itself,
      those_who_share_a_check_count_as_waiting, a_worker_that_dies_over_a_check_answers_all_who_shared_it,
      says_why_a_password_was_not_checked, garbage_closes_the_connection_and_nothing_else)
