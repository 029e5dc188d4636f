// The service with a cleanup and a qmgr that live in the test.
#include "libipc/connection.h"
#include "libutil/log.h"
#include "tests/unit/suite.h"
#include "verify/service.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>

namespace {

using namespace std::chrono_literals;
using ipc::Verification;

constexpr uid_t smtpd = 101, qmgr = 102, stranger = 103;

struct Fixture {
    util::EventLoop loop = util::EventLoop::create().take();
    std::string directory;
    util::UniqueFd listener;
    ipc::Connection cleanup;             // the service's connection to it
    std::vector<std::string> probed;     // addresses
    std::vector<std::string> queue_ids;
    std::unique_ptr<verify::Service> service;
    int gone = 0;

    explicit Fixture(std::size_t pending_limit = 100, const char* map = "")
    {
        util::log::to_nowhere();
        char name[] = "/tmp/tern-verify-XXXXXX";
        THAT(::mkdtemp(name) != nullptr);
        directory = name;
        listener = util::UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        (directory + "/cleanup").copy(address.sun_path, sizeof address.sun_path - 1);
        THAT(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
             ::listen(listener.get(), 5) == 0);
        verify::Settings settings;
        settings.times = {.positive_expire = 1000, .positive_refresh = 500, .negative_expire = 1000, .negative_refresh = 500,
                          .negative_cache = true, .limit = 1000};
        settings.pending_limit = pending_limit;
        settings.asker = smtpd;
        settings.teller = qmgr;
        settings.probes = {.cleanup_socket = directory + "/cleanup", .sender = {"double-bounce@here"}, .hostname = "here"};
        auto file = verify::CacheFile::parse(*map ? std::string(map) + directory + "/cache" : std::string());
        OK(file);
        service = std::make_unique<verify::Service>(loop, std::move(settings), file.take());
    }
    ~Fixture()
    {
        service.reset();
        for (const char* file : {"/cleanup", "/cache.db"})
            (void)util::sys::unlink(directory + file);
        ::rmdir(directory.c_str());
    }

    ipc::Connection connect(uid_t uid)
    {
        auto pair = util::sys::socket_pair(SOCK_SEQPACKET).take();
        OK(util::sys::set_nonblocking(pair.first.get(), true));
        service->accept(std::move(pair.first), uid, [this] { ++gone; });
        ipc::Connection client(std::move(pair.second));
        OK(client.set_timeout(5s));
        return client;
    }
    // The loop's work, with cleanup's answers in between.
    void work()
    {
        for (int i = 0; i < 20; ++i) {
            loop.run_ready();
            serve_cleanup();
        }
    }
    void serve_cleanup()
    {
        if (!cleanup.valid()) {
            util::UniqueFd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!fd.valid())
                return;
            cleanup = ipc::Connection(std::move(fd));
            ipc::Greeting greeting;
            greeting.next_queue_id = "Q0";
            OK(cleanup.send(greeting));
        }
        auto packet = ipc::receive_packet(cleanup.fd(), MSG_DONTWAIT);
        if (!packet.ok() || !*packet)
            return;
        auto begin = ipc::decode<ipc::Begin>(**packet);
        OK(begin);
        THAT(begin->last && begin->envelope.report == ipc::Report::Probe && begin->recipients.size() == 1);
        EQ(begin->envelope.sender, "double-bounce@here");
        probed.push_back(begin->recipients[0].address);
        queue_ids.push_back(begin->envelope.queue_id);
        if (dying)
            return cleanup.close();
        ipc::Verdict verdict;
        verdict.kind = kind;
        verdict.text = "cleanup's reason";
        verdict.next_queue_id = util::concat("Q", probed.size());
        OK(cleanup.send(verdict));
    }
    bool dying = false;
    ipc::Verdict::Kind kind = ipc::Verdict::Kind::Delivered;

    static void ask(ipc::Connection& client, std::string address, util::Duration patience)
    {
        ipc::VerifyQuery query;
        query.address = std::move(address);
        query.patience = patience.count();
        OK(client.send(query));
    }
    void tell(ipc::Connection& manager, std::string queue_id, Verification result, std::string text)
    {
        OK(manager.send(ipc::ProbeResult{std::move(queue_id), result, std::move(text)}));
        work();
    }
    static bool silent(ipc::Connection& client, bool peek = false)
    {
        char byte;
        return peek ? ::recv(client.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0
                    : !ipc::receive_packet(client.fd(), MSG_DONTWAIT).ok();
    }
};

TEST(all_who_ask_for_one_address_wait_for_one_probe)
{
    Fixture fixture;
    auto manager = fixture.connect(qmgr);
    std::vector<ipc::Connection> clients;
    for (int i = 0; i < 50; ++i) {
        clients.push_back(fixture.connect(smtpd));
        Fixture::ask(clients.back(), i % 2 ? "anna@EXAMPLE.test" : "anna@example.test", 1h);
    }
    fixture.work();
    EQ(fixture.probed.size(), 1);
    EQ(fixture.probed[0], "anna@example.test");
    THAT(Fixture::silent(clients[0]));
    fixture.tell(manager, "Q0", Verification::Undeliverable, "no such user");
    for (auto& client : clients) {
        auto answer = client.receive_as<ipc::VerifyAnswer>();
        OK(answer);
        THAT(answer->result == Verification::Undeliverable);
        EQ(answer->text, "no such user");
    }
    // From now on it is known.
    Fixture::ask(clients[0], "anna@example.test", 1h);
    fixture.work();
    THAT(clients[0].receive_as<ipc::VerifyAnswer>()->result == Verification::Undeliverable);
    EQ(fixture.probed.size(), 1);
    EQ(fixture.service->pending(), 0);
}
END_TEST

TEST(patience_ends_and_the_result_is_there_for_the_next_question)
{
    Fixture fixture;
    auto manager = fixture.connect(qmgr);
    auto client = fixture.connect(smtpd);
    Fixture::ask(client, "anna@example.test", 0s);
    fixture.work();
    THAT(client.receive_as<ipc::VerifyAnswer>()->result == Verification::Unknown);
    Fixture::ask(client, "anna@example.test", 1ms);
    for (util::Instant end = util::now() + 100s; Fixture::silent(client, true) && util::now() < end;)
        fixture.loop.run_for(5ms);
    THAT(client.receive_as<ipc::VerifyAnswer>()->result == Verification::Unknown);
    fixture.tell(manager, "Q0", Verification::Deliverable, "yes");
    Fixture::ask(client, "anna@example.test", 0s);
    fixture.work();
    THAT(client.receive_as<ipc::VerifyAnswer>()->result == Verification::Deliverable);
    EQ(fixture.probed.size(), 1);
}
END_TEST

TEST(only_qmgr_tells_results_and_only_smtpd_asks)
{
    Fixture fixture;
    auto manager = fixture.connect(qmgr);
    auto client = fixture.connect(smtpd);
    Fixture::ask(client, "anna@example.test", 1h);
    fixture.work();
    for (uid_t uid : {smtpd, stranger}) {
        auto liar = fixture.connect(uid);
        fixture.tell(liar, "Q0", Verification::Deliverable, "trust me");
        THAT(!liar.receive().ok());
    }
    auto other = fixture.connect(qmgr);
    Fixture::ask(other, "anna@example.test", 0s);
    fixture.work();
    THAT(!other.receive().ok());
    EQ(fixture.gone, 3);
    THAT(Fixture::silent(client));
    // Ids that nobody has are nobody's.
    fixture.tell(manager, "Q77", Verification::Deliverable, "yes");
    THAT(Fixture::silent(client));
}
END_TEST

TEST(nonsense_ends_the_connection)
{
    for (const std::string& bad :
         {std::string(), std::string("anna"), std::string("a b@c d"), std::string(400, 'a') + "@example.test"}) {
        Fixture fixture;
        auto client = fixture.connect(smtpd);
        Fixture::ask(client, bad, 1h);
        fixture.work();
        THAT(!client.receive().ok());
        EQ(fixture.probed.size(), 0);
    }
    // Two questions at once.
    Fixture fixture;
    auto client = fixture.connect(smtpd);
    Fixture::ask(client, "a@example.test", 1h);
    Fixture::ask(client, "b@example.test", 1h);
    fixture.work();
    THAT(!client.receive().ok());
}
END_TEST

TEST(beyond_the_limit_of_probes_addresses_stay_unknown)
{
    Fixture fixture(2);
    auto client = fixture.connect(smtpd);
    for (const char* address : {"a@x.test", "b@x.test", "c@x.test"}) {
        Fixture::ask(client, address, 0s);
        fixture.work();
        THAT(client.receive_as<ipc::VerifyAnswer>()->result == Verification::Unknown);
    }
    EQ(fixture.probed.size(), 2);
    // Nobody waits for a probe that was not sent.
    Fixture::ask(client, "c@x.test", 1h);
    fixture.work();
    THAT(client.receive_as<ipc::VerifyAnswer>()->result == Verification::Unknown);
}
END_TEST

TEST(what_cleanup_refuses_is_a_result_and_what_it_cannot_do_now_is_none)
{
    Fixture fixture;
    auto client = fixture.connect(smtpd);
    fixture.kind = ipc::Verdict::Kind::Failed;
    for (int i = 0; i < 2; ++i) {
        Fixture::ask(client, "a@x.test", 1h);
        fixture.work();
        auto answer = client.receive_as<ipc::VerifyAnswer>();
        OK(answer);
        THAT(answer->result == Verification::Deferred);
        EQ(answer->text, "cleanup's reason");
    }
    EQ(fixture.probed.size(), 2);
    fixture.kind = ipc::Verdict::Kind::Refused;
    for (int i = 0; i < 2; ++i) {
        Fixture::ask(client, "a@x.test", 1h);
        fixture.work();
        THAT(client.receive_as<ipc::VerifyAnswer>()->result == Verification::Undeliverable);
    }
    EQ(fixture.probed.size(), 3);
}
END_TEST

TEST(a_probe_that_cleanup_takes_with_it_goes_again_once)
{
    Fixture fixture;
    auto client = fixture.connect(smtpd);
    auto manager = fixture.connect(qmgr);
    fixture.dying = true;
    Fixture::ask(client, "a@x.test", 1h);
    for (int i = 0; i < 200 && fixture.probed.size() < 2; ++i)
        fixture.work();
    fixture.work();
    EQ(fixture.probed.size(), 2);
    THAT(client.receive_as<ipc::VerifyAnswer>()->result == Verification::Deferred);
    // The first one had arrived.
    fixture.dying = false;
    fixture.probed.clear();
    Fixture::ask(client, "b@x.test", 1h);
    fixture.work();
    EQ(fixture.probed.size(), 1);
    fixture.tell(manager, fixture.queue_ids.back(), Verification::Deliverable, "yes");
    THAT(client.receive_as<ipc::VerifyAnswer>()->result == Verification::Deliverable);
}
END_TEST

TEST(results_survive_the_daemon)
{
    Fixture fixture(100, "btree:");
    auto client = fixture.connect(smtpd);
    auto manager = fixture.connect(qmgr);
    Fixture::ask(client, "a@x.test", 1h);
    fixture.work();
    fixture.tell(manager, "Q0", Verification::Deliverable, "yes");
    fixture.service->store();
    verify::Cache cache({.positive_expire = 1000,
                         .positive_refresh = 500,
                         .negative_expire = 1,
                         .negative_refresh = 1,
                         .negative_cache = true,
                         .limit = 9});
    auto loaded = verify::CacheFile::parse("btree:" + fixture.directory + "/cache")->load(cache);
    OK(loaded);
    EQ(*loaded, 1);
}
END_TEST

}  // namespace

SUITE(verify_service, all_who_ask_for_one_address_wait_for_one_probe,
      patience_ends_and_the_result_is_there_for_the_next_question, only_qmgr_tells_results_and_only_smtpd_asks,
      nonsense_ends_the_connection, beyond_the_limit_of_probes_addresses_stay_unknown,
      what_cleanup_refuses_is_a_result_and_what_it_cannot_do_now_is_none, a_probe_that_cleanup_takes_with_it_goes_again_once,
      results_survive_the_daemon)
