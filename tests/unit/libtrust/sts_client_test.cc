#include "libtrust/sts_client.h"
#include "libipc/connection.h"
#include "libutil/log.h"
#include "libutil/sys.h"
#include "tests/unit/suite.h"

#include <cstdlib>
#include <cstring>
#include <functional>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace {

using Status = trust::StsAnswer::Status;

// A socket on which something answers `connections` times.
struct Service {
    Service()
    {
        util::log::to_nowhere();
        char name[] = "/tmp/tern-sts-XXXXXX";
        CHECK(::mkdtemp(name));
        path = std::string(name) + "/sts";
    }
    ~Service()
    {
        if (thread.joinable())
            thread.join();
    }
    void listen(int connections, std::function<void(ipc::Connection&)> serve)
    {
        socket.reset(::socket(AF_UNIX, SOCK_SEQPACKET, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        CHECK(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        CHECK(::listen(socket.get(), 10) == 0);
        thread = std::thread([this, connections, serve = std::move(serve)] {
            for (int i = 0; i < connections; ++i) {
                ipc::Connection connection(util::UniqueFd(::accept(socket.get(), nullptr, nullptr)));
                serve(connection);
            }
        });
    }

    std::string path;
    util::UniqueFd socket;
    std::thread thread;
};

void answer(ipc::Connection& connection)
{
    auto question = connection.receive_as<ipc::StsQuestion>();
    ipc::StsReply reply;
    if (question.ok() && question->domain == "example.com") {
        reply.result = ipc::StsReply::Result::Found;
        reply.policy = "version: STSv1\nmode: testing\nmax_age: 1\nmx: a.example\n";
        reply.id = "1";
    }
    (void)connection.send(reply);
}

TEST(where_nobody_answers_there_are_no_policies)
{
    Service service;
    trust::StsClient client(service.path, std::chrono::seconds(5));
    EQ(client.ask("example.com").status, Status::None);
    client.give({ipc::TlsResult{}});
}
END_TEST

TEST(asks_once_and_remembers)
{
    Service service;
    service.listen(2, answer);
    trust::StsClient client(service.path, std::chrono::seconds(5));
    for (int i = 0; i < 3; ++i) {
        auto found = client.ask("example.com");
        EQ(found.status, Status::Found);
        EQ(found.policy.mode, trust::StsMode::Testing);
        EQ(client.ask("example.org").status, Status::None);
    }
}
END_TEST

TEST(who_is_gone_has_not_said_that_there_is_no_policy)
{
    Service service;
    service.listen(1, answer);
    trust::StsClient client(service.path, std::chrono::seconds(5));
    EQ(client.ask("example.com").status, Status::Found);
    service.thread.join();
    service.socket.reset();
    EQ(client.ask("example.net").status, Status::Failed);
    THAT(::unlink(service.path.c_str()) == 0);
    EQ(client.ask("example.net").status, Status::Failed);
    EQ(client.ask("example.com").status, Status::Found);
}
END_TEST

TEST(who_does_not_answer_has_not_said_that_there_is_no_policy)
{
    Service service;
    service.listen(2, [](ipc::Connection& connection) { connection.close(); });
    trust::StsClient client(service.path, std::chrono::seconds(5));
    // And that is not remembered.
    for (int i = 0; i < 2; ++i)
        EQ(client.ask("example.com").status, Status::Failed);
    Service silent;
    silent.listen(0, answer);
    trust::StsClient waiting(silent.path, std::chrono::milliseconds(20));
    EQ(waiting.ask("example.com").status, Status::Failed);
}
END_TEST

TEST(gives_results)
{
    Service service;
    util::Result<ipc::TlsResults> got = util::invalid("none");
    service.listen(1, [&](ipc::Connection& connection) { got = connection.receive_as<ipc::TlsResults>(); });
    trust::StsClient client(service.path, std::chrono::seconds(5));
    ipc::TlsResult result;
    result.policy_domain = "example.com";
    result.count = 7;
    client.give({result, result});
    service.thread.join();
    OK(got);
    EQ(got->results.size(), 2);
    EQ(got->results[1].count, 7);
}
END_TEST

TEST(gives_more_results_than_a_packet_has_room_for)
{
    Service service;
    std::vector<ipc::TlsResult> got;
    std::size_t packets = 0;
    service.listen(1, [&](ipc::Connection& connection) {
        while (auto message = connection.receive_as<ipc::TlsResults>()) {
            ++packets;
            for (auto& result : message->results)
                got.push_back(std::move(result));
        }
    });
    trust::StsClient client(service.path, std::chrono::seconds(5));
    std::vector<ipc::TlsResult> sent(40);
    for (std::size_t i = 0; i < sent.size(); ++i) {
        sent[i].policy_domain = util::concat(i, ".example");
        sent[i].policy_strings.assign(20, std::string(250, 'p'));
        sent[i].mx_hosts.assign(20, std::string(250, 'm'));
    }
    client.give(sent);
    service.thread.join();
    THAT(got == sent);
    EQ(packets, 4);
    // To the byte: two results that fill a packet, and two of which the second is one byte too long.
    std::vector<int> none;
    for (std::size_t more : {0, 1}) {
        got.clear();
        packets = 0;
        ipc::TlsResults full;
        full.results.resize(2);
        full.results[0].text = std::string(50'000, 'x');
        full.results[1].text = std::string(70'000, 'x');
        full.results[1].text.append(ipc::max_packet_size - ipc::encode(full, none).size() + more, 'x');
        EQ(ipc::encode(full, none).size(), ipc::max_packet_size + more);
        Service second;
        second.listen(1, [&](ipc::Connection& connection) {
            while (auto message = connection.receive_as<ipc::TlsResults>()) {
                ++packets;
                for (auto& result : message->results)
                    got.push_back(std::move(result));
            }
        });
        trust::StsClient(second.path, std::chrono::seconds(5)).give(full.results);
        second.thread.join();
        THAT(got == full.results);
        EQ(packets, 1 + more);
    }
}
END_TEST

}  // namespace

SUITE(sts_client, where_nobody_answers_there_are_no_policies, asks_once_and_remembers,
      who_is_gone_has_not_said_that_there_is_no_policy,
      who_does_not_answer_has_not_said_that_there_is_no_policy, gives_results,
      gives_more_results_than_a_packet_has_room_for)
