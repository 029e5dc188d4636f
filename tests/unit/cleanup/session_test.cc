// cleanup/session.h, with a client and a qmgr played by the test; the session runs in a thread.
#include "cleanup/session.h"

#include "libqueue/directory.h"
#include "libqueue/reader.h"
#include "libutil/log.h"
#include "tests/unit/libqueue/scratch.h"
#include "tests/unit/suite.h"

#include <atomic>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>

using namespace cleanup;
using namespace std::chrono_literals;
using Kind = ipc::Verdict::Kind;

namespace {

class Bed {
public:
    Bed()
    {
        for (conf::Parameter* parameter : config.parameters())
            if (!parameter->default_text().starts_with('$'))  // $header_checks: empty
                OK(parameter->read(parameter->default_text()));
        common.message_size_limit.set(1'000'000);
        common.myhostname.set("mail.example.org");
        rules = {1000, {"bcc", "return-path"}};
        expander = [](const std::string& address, bool) -> util::Result<Expansion> {
            if (address == "list@here")
                return Expansion{{"a@here", "A@HERE", "b@here"}, true};
            if (address == "broken@here")
                return util::temporary("the table is away");
            return Expansion{{address}, false};
        };
        options.directory = scratch.path();
        socket_path = scratch.path() + ".qmgr";
    }
    ~Bed()
    {
        (void)finish();
        (void)util::sys::unlink(socket_path);
    }

    // A session, greeted.
    void start()
    {
        transaction.emplace(config, common, rules, expander, options);
        link.emplace(socket_path, 10s);
        auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
        client = ipc::Connection(std::move(pair->first));
        OK(client.set_timeout(10s));
        ipc::Connection other(std::move(pair->second));
        OK(other.set_timeout(10s));
        session.emplace(std::move(other), *transaction, *link, ids);
        thread = std::thread([this] { result = session->run([this] { ++begun; }); session.reset(); });
        auto greeting = client.receive_as<ipc::Greeting>();
        OK(greeting);
        id = greeting->next_queue_id;
    }
    // Ends it.
    util::Result<void> finish()
    {
        client.close();
        if (thread.joinable())
            thread.join();
        return result;
    }
    void listen()
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
        listener.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        THAT(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        THAT(::listen(listener.get(), 5) == 0);
    }
    ipc::Connection accept()
    {
        ipc::Connection connection(util::UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));
        OK(connection.set_timeout(10s));
        return connection;
    }
    ipc::Begin message(std::vector<std::string> recipients, std::string content = "Subject: x\r\n\r\nbody\r\n")
    {
        ipc::Begin begin;
        begin.envelope.queue_id = id;
        begin.envelope.sender = "me@example.org";
        begin.envelope.arrival = 1'800'000'000'000'000;
        for (auto& recipient : recipients)
            begin.recipients.push_back({recipient, "", 0});
        begin.content = std::move(content);
        begin.last = true;
        return begin;
    }
    ipc::Verdict submit(const auto& message)
    {
        OK(client.send(message));
        return verdict();
    }
    ipc::Verdict verdict()
    {
        auto answer = client.receive_as<ipc::Verdict>();
        OK(answer);
        last_id = std::exchange(id, answer->next_queue_id);
        return answer.take();
    }
    // The one file that was named.
    std::string content()
    {
        EQ(scratch.count(), 1u);
        file = util::sys::open(scratch.path() + "/" + last_id, O_RDONLY).take();
        reader.emplace(queue::Reader::open(file.get()).take());
        return reader->read_content(10'000'000).take();
    }

    test::Scratch scratch;
    Config config;
    conf::Common common;
    HeaderRules rules;
    Expander expander;
    queue::WriterOptions options;
    queue::IdSource ids;
    std::string socket_path;
    util::UniqueFd listener;
    std::optional<Transaction> transaction;
    std::optional<ManagerLink> link;
    std::optional<Session> session;
    std::thread thread;
    std::atomic<int> begun = 0;
    util::Result<void> result;
    ipc::Connection client;
    std::string id, last_id;
    util::UniqueFd file;
    std::optional<queue::Reader> reader;
};

TEST(without_qmgr_messages_are_kept)
{
    Bed bed;
    bed.start();
    auto verdict = bed.submit(bed.message({"list@here", "b@here", "c@here"}, "Bcc: x\r\nSubject: x\r\n\r\na\nb\r\n"));
    EQ(verdict.kind, Kind::Kept);
    EQ(verdict.code, 250);
    EQ(verdict.text, "Ok: queued as " + bed.last_id);
    EQ(bed.content(), "Subject: x\r\n\r\na b\r\n");
    EQ(bed.reader->recipients().size(), 3u);
    EQ(bed.reader->recipients()[0].recipient.original, "rfc822;list@here");
    EQ(bed.reader->recipients()[2].recipient.address, "c@here");
    THAT(bed.reader->summary().expanded);
    OK(bed.finish());
}
END_TEST

TEST(each_message_has_its_own_time)
{
    Bed bed;
    bed.start();
    for (int number = 1; number <= 3; ++number) {
        EQ(bed.submit(bed.message({"a@here"})).kind, Kind::Kept);
        EQ(bed.begun, number);
    }
    OK(bed.finish());
}
END_TEST

TEST(a_message_in_many_records_is_one)
{
    Bed bed;
    bed.config.memory_limit.set(1000);
    bed.start();
    auto begin = bed.message({"a@here"}, "");
    begin.last = false;
    OK(bed.client.send(begin));
    OK(bed.client.send(ipc::More{{{"b@here", "", 0}}}));
    std::string whole = "Subject: x\r\n\r\n" + std::string(200'000, 'y') + "\r\n";
    for (std::size_t at = 0; at < whole.size(); at += 60'000)
        OK(bed.client.send(ipc::Content{whole.substr(at, 60'000), at + 60'000 >= whole.size()}));
    EQ(bed.verdict().kind, Kind::Kept);
    EQ(bed.content(), whole);
    EQ(bed.reader->recipients().size(), 2u);
}
END_TEST

TEST(qmgr_rules)
{
    Bed bed;
    bed.listen();
    bed.start();
    ipc::Connection qmgr;
    struct Case {
        ipc::Ruling::Kind ruling;
        Kind verdict;
        int code;
    };
    for (Case wanted : {Case{ipc::Ruling::Kind::Delivered, Kind::Delivered, 250},
                        Case{ipc::Ruling::Kind::Refused, Kind::Refused, 550}, Case{ipc::Ruling::Kind::Keep, Kind::Kept, 250}}) {
        OK(bed.client.send(bed.message({"a@here"})));
        if (!qmgr.valid())
            qmgr = bed.accept();
        auto offer = qmgr.receive_as<ipc::Offer>();
        OK(offer);
        THAT(offer->race);
        THAT(util::sys::is_sealed(offer->message.get()));
        EQ(offer->queue_id, bed.id);
        OK(queue::Reader::open(offer->message.get()));
        EQ(bed.scratch.count(), 0u);
        ipc::Ruling ruling{offer->queue_id, wanted.ruling, "5.1.1", "no such user"};
        OK(qmgr.send(ruling));
        auto verdict = bed.verdict();
        EQ(verdict.kind, wanted.verdict);
        EQ(verdict.code, wanted.code);
        if (wanted.code == 550)
            EQ(verdict.text, "no such user");
    }
    EQ(qmgr.receive_as<ipc::Named>()->queue_id, bed.last_id);
    EQ(bed.scratch.count(), 1u);
}
END_TEST

TEST(qmgr_gone_before_the_ruling_means_keep)
{
    Bed bed;
    bed.listen();
    bed.start();
    OK(bed.client.send(bed.message({"a@here"})));
    {
        auto qmgr = bed.accept();
        OK(qmgr.receive_as<ipc::Offer>());
        bed.listener.reset();
    }
    EQ(bed.verdict().kind, Kind::Kept);
    EQ(bed.scratch.count(), 1u);
}
END_TEST

TEST(a_client_that_goes_takes_its_message_along)
{
    Bed bed;
    bed.listen();
    bed.start();
    OK(bed.client.send(bed.message({"a@here"})));
    auto qmgr = bed.accept();
    OK(qmgr.receive_as<ipc::Offer>());
    OK(bed.finish());
    // qmgr hears of it by the end of the connection.
    THAT(!qmgr.receive().ok());
    EQ(bed.scratch.count(), 0u);
}
END_TEST

TEST(a_message_that_cannot_be_kept_is_not_promised)
{
    Bed bed;
    bed.options.directory = "/nonexistent";
    bed.listen();
    bed.start();
    OK(bed.client.send(bed.message({"a@here"})));
    auto qmgr = bed.accept();
    auto offer = qmgr.receive_as<ipc::Offer>();
    OK(qmgr.send(ipc::Ruling{offer->queue_id, ipc::Ruling::Kind::Keep, "", ""}));
    auto verdict = bed.verdict();
    EQ(verdict.kind, Kind::Failed);
    EQ(verdict.code, 451);
    EQ(qmgr.receive_as<ipc::NotNamed>()->queue_id, bed.last_id);
}
END_TEST

TEST(limits_have_their_replies)
{
    Bed bed;
    bed.config.hopcount_limit.set(3);
    bed.common.message_size_limit.set(500);
    bed.start();
    std::string hop = "Received: x\r\n";
    EQ(bed.submit(bed.message({"a@here"}, hop + hop + "\r\n")).kind, Kind::Kept);
    auto verdict = bed.submit(bed.message({"a@here"}, hop + hop + hop + "\r\n"));
    EQ(verdict.kind, Kind::Refused);
    EQ(verdict.dsn, "5.4.6");
    // The client counted its message without what was put before it.
    for (std::size_t size : {500, 501}) {
        auto begin = bed.message({"a@here"}, std::string(ipc::trace_room / 2, 'x'));
        begin.last = false;
        OK(bed.client.send(begin));
        EQ(bed.submit(ipc::Content{std::string(ipc::trace_room / 2 + size, 'x'), true}).code, size == 500 ? 250 : 552);
    }
    EQ(bed.submit(bed.message({"broken@here"})).code, 451);
    EQ(bed.submit(bed.message({})).code, 554);
    bed.config.queue_minfree.set(UINT64_MAX);
    bed.config.recipient_limit.set(1);
    EQ(bed.submit(bed.message({"a@here", "b@here"})).code, 554);
    EQ(bed.scratch.count(), 2u);
    OK(bed.finish());
}
END_TEST

TEST(an_early_verdict_reaches_a_client_that_goes_on_sending)
{
    Bed bed;
    bed.common.message_size_limit.set(1000);
    bed.start();
    auto begin = bed.message({"a@here"}, std::string(5000, 'x'));
    begin.last = false;
    OK(bed.client.send(begin));
    for (int i = 0; i < 50; ++i)
        OK(bed.client.send(ipc::Content{std::string(60'000, 'x'), i == 49}));
    EQ(bed.verdict().code, 552);
    // Then the connection is over.
    THAT(!bed.client.receive().ok());
    OK(bed.finish());
}
END_TEST

TEST(own_clients_have_their_headers_completed)
{
    Bed bed;
    bed.start();
    auto begin = bed.message({"a@here"}, "Subject: x\r\nDate: then\r\n\r\nbody");
    begin.envelope.complete_header = true;
    EQ(bed.submit(begin).kind, Kind::Kept);
    std::string message_id = "<1800000000." + bed.last_id + "@mail.example.org>";
    EQ(bed.content(), "Subject: x\r\nDate: then\r\nMessage-Id: " + message_id + "\r\nFrom: me@example.org\r\n\r\nbody");
    (void)util::sys::unlink(bed.scratch.path() + "/" + bed.last_id);
    begin = bed.message({"a@here"}, "Subject: x");
    begin.envelope.complete_header = true;
    EQ(bed.submit(begin).kind, Kind::Kept);
    THAT(bed.content().starts_with("Subject: x\r\nMessage-Id: "));
}
END_TEST

TEST(a_client_that_breaks_the_protocol_is_left)
{
    for (int fault = 0; fault < 3; ++fault) {
        Bed bed;
        bed.start();
        auto begin = bed.message({"a@here"});
        if (fault == 0)
            begin.envelope.queue_id = "3Cbn4n0000z1234";
        begin.last = fault != 1;
        if (fault == 2)
            OK(bed.client.send(ipc::Content{"x", true}));
        else
            OK(bed.client.send(begin));
        if (fault == 1)
            OK(bed.client.send(begin));
        THAT(!bed.client.receive().ok());
        THAT(!bed.finish().ok());
        EQ(bed.scratch.count(), 0u);
    }
}
END_TEST

SUITE(session, without_qmgr_messages_are_kept, each_message_has_its_own_time, a_message_in_many_records_is_one, qmgr_rules,
      qmgr_gone_before_the_ruling_means_keep, a_client_that_goes_takes_its_message_along,
      a_message_that_cannot_be_kept_is_not_promised, limits_have_their_replies,
      an_early_verdict_reaches_a_client_that_goes_on_sending, own_clients_have_their_headers_completed,
      a_client_that_breaks_the_protocol_is_left)

}  // namespace
