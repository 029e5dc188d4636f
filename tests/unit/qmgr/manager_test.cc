// qmgr/manager.h, with a cleanup and agents played by the test over real sockets.
#include "libipc/connection.h"
#include "libqueue/queue_id.h"
#include "libqueue/writer.h"
#include "libutil/log.h"
#include "qmgr/manager.h"
#include "tests/unit/no_descriptors.h"
#include "tests/unit/suite.h"

#include <map>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

using namespace qmgr;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view id_a = "3Cbn4n0000z1234";
constexpr std::string_view id_b = "3Cbn4n0001z1234";

// The queue's directories and a manager that a test drives by hand.
class Bed {
public:
    Bed()
    {
        char name[] = "/tmp/tern-qmgr-test.XXXXXX";
        path = ::mkdtemp(name);
        for (queue::Place place : queue::all_places)
            OK(util::sys::mkdir(queue::path_of(path, place), 0700));
        set(config.minimal_backoff_time, "300s");
        for (conf::Parameter* parameter : config.parameters())
            OK(parameter->read(parameter->default_text()));
        for (conf::Parameter* parameter : config.parameters())
            for (const auto& member : parameter->member_defaults())
                OK(parameter->read_member(member.first, member.second));
        directory.emplace(queue::Directory::open(path).take());
        loop.emplace(util::EventLoop::create().take());
        route = [](const ipc::Recipient&, const std::string&) { return routing::Route{"local", "here"}; };
    }
    ~Bed()
    {
        manager.reset();
        std::string command = "rm -rf " + path;
        THAT(std::system(command.c_str()) == 0);
    }

    static void set(conf::Parameter& parameter, std::string text) { OK(parameter.read(text)); }

    void start()
    {
        manager.emplace(*loop, config, *directory, [this](const ipc::Recipient& r, const std::string& s) { return route(r, s); },
                        [this](const std::string& transport) { return path + "/" + transport; });
    }
    int listen(const std::string& transport)
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::string socket_path = path + "/" + transport;
        std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
        listeners.emplace_back(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        THAT(::bind(listeners.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        THAT(::listen(listeners.back().get(), 10) == 0);
        return listeners.back().get();
    }
    // Lets the manager work until `ready`.
    template <typename Ready>
    void until(Ready ready)
    {
        util::Deadline deadline = util::Deadline::in(10s);
        while (!ready()) {
            ck_assert_msg(!deadline.passed(), "nothing happened");
            loop->run_for(10ms);
        }
    }
    void settle() { for (int i = 0; i < 5; ++i) loop->run_ready(); }
    std::size_t count(queue::Place place) { return directory->list(place)->size(); }

    std::string path;
    Config config;
    std::optional<queue::Directory> directory;
    std::optional<util::EventLoop> loop;
    std::vector<util::UniqueFd> listeners;
    std::function<routing::Route(const ipc::Recipient&, const std::string&)> route;
    std::optional<Manager> manager;
};

// A peer that reads without waiting, so that the loop can run meanwhile.
class Peer {
public:
    Peer(Bed& bed, util::UniqueFd fd) : bed_(bed), connection(std::move(fd)) {}

    ipc::Packet next()
    {
        std::optional<ipc::Packet> packet;
        bed_.until([&] {
            auto got = ipc::receive_packet(connection.fd(), MSG_DONTWAIT);
            if (got && *got)
                packet = std::move(**got);
            return packet.has_value();
        });
        return std::move(*packet);
    }
    template <typename Message>
    Message next_as()
    {
        auto packet = next();
        auto message = ipc::decode<Message>(packet);
        OK(message);
        return message.take();
    }
    bool silent()
    {
        bed_.settle();
        return !ipc::receive_packet(connection.fd(), MSG_DONTWAIT | MSG_PEEK).ok();
    }

private:
    Bed& bed_;

public:
    ipc::Connection connection;
};

class Cleaner : public Peer {
public:
    Cleaner(Bed& bed, Manager& manager) : Peer(bed, {})
    {
        auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
        connection = ipc::Connection(std::move(pair->first));
        manager.add_cleaner(std::move(pair->second), [] {});
        writer.emplace(queue::WriterOptions{.directory = queue::path_of(bed.path, queue::Place::Incoming)});
    }
    void offer(std::string_view id, std::vector<std::string> recipients, bool race = true, bool expanded = false,
               std::uint8_t notify = 0)
    {
        ipc::Envelope envelope;
        envelope.queue_id = id;
        envelope.arrival = util::wall_now().time_since_epoch().count();
        envelope.sender = "sender@example.org";
        envelope.report = report;
        OK(writer->begin(envelope));
        for (auto& recipient : recipients)
            OK(writer->add_recipient({recipient, "", notify}));
        OK(writer->add_content("Subject: x\r\n\r\nbody\r\n"));
        auto fd = writer->finish(summary);
        OK(fd);
        ipc::Offer message{std::string(id), fd.take(), writer->file_size(), race, expanded};
        OK(connection.send(message));
    }
    void name(std::string_view id)
    {
        OK(writer->name(std::string(id)));
        OK(connection.send(ipc::Named{std::string(id)}));
    }
    std::optional<queue::Writer> writer;
    queue::Summary summary;
    ipc::Report report = ipc::Report::None;
};

class Agent : public Peer {
public:
    Agent(Bed& bed, int listener, std::uint32_t capacity, bool verifies = false) : Peer(bed, {})
    {
        bed.until([&] {
            util::UniqueFd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
            if (fd.valid())
                connection = ipc::Connection(std::move(fd));
            return connection.valid();
        });
        OK(connection.send(ipc::AgentGreeting{1, capacity, verifies}));
    }
    void confirm(const ipc::Notify& order)
    {
        ipc::Outcome outcome;
        outcome.job = order.job;
        outcome.status.disposition = ipc::Disposition::Delivered;
        OK(connection.send(outcome));
    }
    void answer(const ipc::Job& job, ipc::Disposition disposition, std::string text = "done", bool destination_failed = false)
    {
        for (const auto& recipient : job.recipients)
            answer_one(job, recipient.index, disposition, text, destination_failed);
    }
    void answer_one(const ipc::Job& job, std::uint32_t index, ipc::Disposition disposition, std::string text = "done",
                    bool destination_failed = false)
    {
        ipc::Outcome outcome;
        outcome.job = job.job;
        outcome.index = index;
        outcome.status.disposition = disposition;
        outcome.status.dsn = disposition == ipc::Disposition::Delivered ? "2.0.0" : disposition == ipc::Disposition::Deferred ? "4.2.0" : "5.1.1";
        outcome.status.text = std::move(text);
        outcome.destination_failed = destination_failed;
        OK(connection.send(outcome));
    }
};

TEST(a_message_that_is_delivered_in_time_never_gets_a_name)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here", "b@here"});
    Agent agent(bed, local, 10);
    auto first = agent.next_as<ipc::Job>();
    auto second = agent.next_as<ipc::Job>();
    EQ(first.queue_id, id_a);
    EQ(first.sender, "sender@example.org");
    EQ(first.recipients.size(), 1u);
    auto reader = queue::Reader::open(first.message.get());
    OK(reader);
    EQ(*reader->read_content(1000), "Subject: x\r\n\r\nbody\r\n");
    agent.answer(first, ipc::Disposition::Delivered);
    THAT(cleaner.silent());
    agent.answer(second, ipc::Disposition::Delivered);
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Delivered);
    EQ(bed.manager->messages().size(), 0u);
    EQ(bed.count(queue::Place::Incoming), 0u);
}
END_TEST

TEST(a_message_that_all_refuse_is_refused_and_not_bounced)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"});
    Agent agent(bed, local, 10);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Bounced, "no such user");
    auto ruling = cleaner.next_as<ipc::Ruling>();
    EQ(ruling.kind, ipc::Ruling::Kind::Refused);
    EQ(ruling.text, "no such user");
    EQ(ruling.dsn, "5.1.1");
    EQ(bed.manager->messages().size(), 0u);
    // Not when an alias led there.
    cleaner.offer(id_b, {"a@here"}, true, true);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Bounced, "no such user");
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
}
END_TEST

TEST(a_temporary_failure_keeps_and_defers)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here", "b@here"});
    Agent agent(bed, local, 10);
    auto first = agent.next_as<ipc::Job>();
    auto second = agent.next_as<ipc::Job>();
    agent.answer(second, ipc::Disposition::Deferred, "try later");
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    agent.answer(first, ipc::Disposition::Delivered);
    bed.settle();
    EQ(bed.manager->messages().size(), 1u);
    cleaner.name(id_a);
    bed.until([&] { return bed.manager->messages().empty(); });
    EQ(bed.count(queue::Place::Incoming), 0u);
    auto file = bed.directory->open_file(queue::Place::Deferred, std::string(id_a), O_RDONLY);
    OK(file);
    auto reader = queue::Reader::open(file->get());
    OK(reader);
    THAT(reader->recipients()[0].done);
    THAT(!reader->recipients()[1].done);
    auto story = reader->story();
    EQ(story->damaged, 0u);
    EQ(story->entries.back().status->text, "try later");
    auto status = bed.directory->stat(queue::Place::Deferred, std::string(id_a));
    std::int64_t since = util::unix_seconds(util::wall_now()) - status->st_mtim.tv_sec;
    THAT(since >= 0 && since < 10);
    // As long after the last attempt as the message was old then.
    std::int64_t arrival = queue::time_of(id_a);
    auto wait = [&](std::int64_t age) { return (bed.manager->next_attempt(std::string(id_a), arrival + age * 1'000'000) - arrival) / 1'000'000 - age; };
    EQ(wait(-50), 300);
    EQ(wait(299), 300);
    EQ(wait(1000), 1000);
    EQ(wait(9000), 4000);
}
END_TEST

TEST(a_race_ends_in_time_and_the_delivery_goes_on)
{
    Bed bed;
    int local = bed.listen("local");
    Bed::set(bed.config.commit_race_time, "30ms");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"});
    Agent agent(bed, local, 10);
    auto job = agent.next_as<ipc::Job>();
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    agent.answer(job, ipc::Disposition::Delivered);
    bed.settle();
    // Not removed before it is named.
    EQ(bed.manager->messages().size(), 1u);
    cleaner.name(id_a);
    bed.until([&] { return bed.manager->messages().empty(); });
    EQ(bed.count(queue::Place::Incoming), 0u);
}
END_TEST

TEST(what_does_not_race_waits_for_its_name)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"}, false);
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    Agent agent(bed, local, 10);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Delivered);
    bed.until([&] { return bed.count(queue::Place::Incoming) == 0; });
    EQ(bed.manager->messages().size(), 0u);
}
END_TEST

TEST(what_is_to_be_held_is_held_until_it_is_released)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.summary.hold = true;
    cleaner.offer(id_a, {"a@here"});
    // No race, whatever cleanup asks for.
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    bed.until([&] { return bed.count(queue::Place::Hold) == 1; });
    EQ(bed.manager->messages().size(), 0u);
    // Found by a scan: the same.
    cleaner.offer(id_b, {"a@here"}, false);
    cleaner.next();
    bed.manager.reset();
    OK(cleaner.writer->name(std::string(id_b)));
    bed.start();
    bed.manager->start();
    bed.until([&] { return bed.count(queue::Place::Hold) == 2; });
    OK(bed.manager->change(std::string(id_a), Manager::Change::Release));
    Agent agent(bed, local, 10);
    auto job = agent.next_as<ipc::Job>();
    EQ(job.queue_id, id_a);
    agent.answer(job, ipc::Disposition::Delivered);
    bed.until([&] { return bed.manager->messages().empty(); });
    EQ(bed.count(queue::Place::Hold), 1u);
}
END_TEST

TEST(what_is_forced_to_expire_goes_back_after_one_more_attempt)
{
    Bed bed;
    int local = bed.listen("local");
    int bounce = bed.listen("bounce");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"}, false);
    cleaner.next();
    cleaner.name(id_a);
    Agent agent(bed, local, 10);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Deferred);
    bed.until([&] { return bed.count(queue::Place::Deferred) == 1; });
    // Elsewhere it is not.
    EQ(bed.manager->change(std::string(id_a), Manager::Change::Expire, queue::active_queue).error().text, "no such message");
    OK(bed.manager->change(std::string(id_a), Manager::Change::Expire));
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Deferred);
    Agent notifier(bed, bounce, 1);
    auto order = notifier.next_as<ipc::Notify>();
    EQ(order.kind, ipc::Notify::Kind::Failure);
    EQ(order.queue_id, id_a);
}
END_TEST

TEST(what_is_to_be_verified_goes_only_to_agents_that_know_how)
{
    for (bool knows : {false, true}) {
        Bed bed;
        int local = bed.listen("local");
        int bounce = bed.listen("bounce");
        bed.start();
        Cleaner cleaner(bed, *bed.manager);
        cleaner.report = ipc::Report::Deliverability;
        cleaner.offer(id_a, {"a@here"});
        EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
        cleaner.name(id_a);
        Agent agent(bed, local, 10, knows);
        if (knows) {
            auto job = agent.next_as<ipc::Job>();
            THAT(job.verify);
            agent.answer(job, ipc::Disposition::Bounced, "nobody there");
        }
        Agent notifier(bed, bounce, 1);
        auto order = notifier.next_as<ipc::Notify>();
        EQ(order.kind, ipc::Notify::Kind::Report);
        EQ(order.statuses.at(0).text, knows ? "nobody there" : "goes to transport local, destination here");
        THAT(agent.silent());
        // A report, and no bounce.
        notifier.confirm(order);
        bed.until([&] { return bed.manager->messages().empty(); });
        EQ(bed.count(queue::Place::Incoming) + bed.count(queue::Place::Deferred), 0u);
    }
}
END_TEST

TEST(a_content_filter_overrules_routes_and_a_redirect_recipients)
{
    Bed bed;
    int scan = bed.listen("scan"), local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.summary.content_filter = "scan:[127.0.0.1]:10025";
    cleaner.offer(id_a, {"a@here", "b@there"});
    Agent filter(bed, scan, 10);
    auto job = filter.next_as<ipc::Job>();
    EQ(job.nexthop, "[127.0.0.1]:10025");
    EQ(job.recipients.size(), 2u);
    filter.answer(job, ipc::Disposition::Delivered);
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Delivered);
    cleaner.summary.content_filter = "scan:";
    cleaner.offer(id_b, {"a@here"});
    job = filter.next_as<ipc::Job>();
    EQ(job.nexthop, "here");
    filter.answer(job, ipc::Disposition::Delivered);
    cleaner.next();
    cleaner.summary = {};
    cleaner.summary.redirect = "else@where";
    cleaner.offer(id_a, {"a@here", "b@there"});
    Agent agent(bed, local, 10);
    job = agent.next_as<ipc::Job>();
    EQ(job.recipients.size(), 1u);
    EQ(job.recipients[0].recipient.address, "else@where");
    EQ(job.recipients[0].recipient.original, "rfc822;a@here");
    agent.answer(job, ipc::Disposition::Delivered);
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Delivered);
}
END_TEST

TEST(cleanup_gone_before_the_ruling_takes_the_message_along)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    {
        Cleaner cleaner(bed, *bed.manager);
        cleaner.offer(id_a, {"a@here"});
        bed.until([&] { return bed.manager->messages().size() == 1; });
    }
    bed.until([&] { return bed.manager->messages().empty(); });
    // The connection for the job was made; no job comes.
    Agent agent(bed, local, 10);
    THAT(agent.silent());
}
END_TEST

TEST(cleanup_gone_after_keep_may_have_named_the_file)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    for (bool linked : {true, false}) {
        std::string id(linked ? id_a : id_b);
        {
            Cleaner cleaner(bed, *bed.manager);
            cleaner.offer(id, {"a@here"}, false);
            EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
            if (linked)
                OK(cleaner.writer->name(id));
        }
        if (linked) {
            Agent agent(bed, local, 10);
            agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Delivered);
            bed.until([&] { return bed.manager->messages().empty(); });
        } else {
            bed.until([&] { return bed.manager->messages().empty(); });
        }
        EQ(bed.count(queue::Place::Incoming), 0u);
    }
}
END_TEST

TEST(files_of_an_earlier_life_are_delivered_and_damaged_ones_set_aside)
{
    Bed bed;
    int local = bed.listen("local");
    {
        Bed::set(bed.config.queue_run_delay, "1s");
        bed.start();
        Cleaner cleaner(bed, *bed.manager);
        for (auto id : {id_a, id_b}) {
            cleaner.offer(id, {"a@here"}, false);
            cleaner.next();
            OK(cleaner.writer->name(std::string(id)));
        }
        bed.manager.reset();
    }
    auto damaged = bed.directory->open_file(queue::Place::Incoming, std::string(id_b), O_RDWR);
    OK(util::sys::pwrite_all(damaged->get(), "X", 200));
    bed.start();
    bed.manager->start();
    Agent agent(bed, local, 10);
    auto job = agent.next_as<ipc::Job>();
    EQ(job.queue_id, id_a);
    // An agent that outlives this qmgr keeps the next one's hands off.
    bed.manager.reset();
    bed.start();
    bed.manager->start();
    bed.until([&] { return bed.count(queue::Place::Corrupt) == 1; });
    bed.settle();
    EQ(bed.manager->messages().size(), 0u);
    job.message.reset();
    Agent second(bed, local, 10);
    second.answer(second.next_as<ipc::Job>(), ipc::Disposition::Delivered);
    bed.until([&] { return bed.count(queue::Place::Incoming) == 0; });
}
END_TEST

TEST(a_message_during_which_two_agents_ended_is_held)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"});
    {
        Agent agent(bed, local, 10);
        agent.next();
    }
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    {
        Agent agent(bed, local, 10);
        agent.next();
    }
    bed.until([&] { return bed.count(queue::Place::Hold) == 1; });
    EQ(bed.manager->messages().size(), 0u);
}
END_TEST

TEST(of_many_messages_that_lose_their_agent_only_the_guilty_one_is_held)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    for (auto id : {id_a, id_b}) {
        cleaner.offer(id, {"a@here"}, false);
        cleaner.next();
        cleaner.name(id);
    }
    {
        Agent agent(bed, local, 10);
        agent.next();
        agent.next();
    }
    // One at a time now.
    int seen = 0;
    bed.until([&] { return true; });
    while (bed.count(queue::Place::Hold) + (2 - bed.manager->messages().size()) < 2 && seen < 10) {
        Agent agent(bed, local, 10);
        auto job = agent.next_as<ipc::Job>();
        THAT(agent.silent());
        if (job.queue_id == id_b) {
            ++seen;
            agent.connection.close();
            bed.until([&] { return bed.count(queue::Place::Hold) == 1; });
            break;
        }
        agent.answer(job, ipc::Disposition::Delivered);
        auto next = agent.next_as<ipc::Job>();
        EQ(next.queue_id, id_b);
        agent.connection.close();
        bed.until([&] { return bed.count(queue::Place::Hold) == 1; });
        break;
    }
    EQ(bed.directory->list(queue::Place::Hold)->front(), std::string(id_b));
}
END_TEST

TEST(a_message_over_which_two_mailboxes_ended_is_held_and_can_be_released)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here", "b@here"});
    Agent agent(bed, local, 10);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Delivered);
    auto fatal = agent.next_as<ipc::Job>();
    ipc::Outcome outcome;
    outcome.job = fatal.job;
    outcome.index = fatal.recipients[0].index;
    outcome.status.text = "the mailbox process ended";
    outcome.deaths = 2;
    OK(agent.connection.send(outcome));
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    bed.until([&] { return bed.count(queue::Place::Hold) == 1; });
    EQ(bed.manager->messages().size(), 0u);
    auto file = bed.directory->open_file(queue::Place::Hold, std::string(id_a), O_RDONLY);
    OK(file);
    auto reader = queue::Reader::open(file->get());
    OK(reader);
    auto story = reader->story();
    OK(story);
    EQ(story->entries.back().kind, queue::StoryEntry::Kind::Held);
    // Released, it goes to the one who did not have it, and starts with a clean record.
    OK(bed.manager->change(std::string(id_a), Manager::Change::Release));
    auto again = agent.next_as<ipc::Job>();
    EQ(again.recipients.size(), 1u);
    EQ(again.recipients[0].recipient.address, fatal.recipients[0].recipient.address);
    agent.answer(again, ipc::Disposition::Delivered);
    bed.until([&] { return bed.manager->messages().empty(); });
    EQ(bed.count(queue::Place::Hold), 0u);
}
END_TEST

TEST(a_transport_without_a_service_defers)
{
    Bed bed;
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"});
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    bed.until([&] { return bed.count(queue::Place::Deferred) == 1; });
}
END_TEST

TEST(with_soft_bounce_a_failure_for_good_is_deferred)
{
    Bed bed;
    Bed::set(bed.config.soft_bounce, "yes");
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"});
    Agent agent(bed, local, 10);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Bounced, "no such user");
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    bed.until([&] { return bed.count(queue::Place::Deferred) == 1; });
}
END_TEST

TEST(a_failure_after_keep_is_told_to_the_sender)
{
    Bed bed;
    int local = bed.listen("local");
    int bounce = bed.listen("bounce");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here", "b@here"});
    Agent agent(bed, local, 10);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Delivered);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Bounced, "no such user");
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    Agent reporter(bed, bounce, 1);
    auto notify = reporter.next_as<ipc::Notify>();
    EQ(notify.kind, ipc::Notify::Kind::Failure);
    EQ(notify.recipients.size(), 1u);
    EQ(notify.recipients[0].recipient.address, "b@here");
    EQ(notify.statuses[0].text, "no such user");
    EQ(notify.envelope.sender, "sender@example.org");
    reporter.confirm(notify);
    bed.until([&] { return bed.manager->messages().empty(); });
    EQ(bed.count(queue::Place::Incoming) + bed.count(queue::Place::Deferred), 0u);
}
END_TEST

TEST(a_notice_that_was_lost_is_ordered_again)
{
    Bed bed;
    int local = bed.listen("local");
    int bounce = bed.listen("bounce");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here", "b@here"}, true, false, ipc::NotifySuccess | ipc::NotifyFailure);
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    Agent agent(bed, local, 10);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Delivered);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Bounced, "no such user");
    for (ipc::Notify::Kind kind : {ipc::Notify::Kind::Failure, ipc::Notify::Kind::Success}) {
        Agent reporter(bed, bounce, 1);
        EQ(reporter.next_as<ipc::Notify>().kind, kind);   // and bounce ends
    }
    bed.until([&] { return bed.manager->messages().empty(); });
    EQ(bed.count(queue::Place::Deferred), 1u);
    // Also when qmgr has ended, too.
    bed.manager.reset();
    while (util::UniqueFd(::accept4(bounce, nullptr, nullptr, SOCK_CLOEXEC)).valid()) { }
    bed.start();
    THAT(bed.manager->flush_message(std::string(id_a)));
    Agent reporter(bed, bounce, 1);
    for (ipc::Notify::Kind kind : {ipc::Notify::Kind::Failure, ipc::Notify::Kind::Success}) {
        auto notify = reporter.next_as<ipc::Notify>();
        EQ(notify.kind, kind);
        EQ(notify.recipients.size(), 1u);
        reporter.confirm(notify);
    }
    bed.until([&] { return bed.manager->messages().empty(); });
    EQ(bed.count(queue::Place::Incoming) + bed.count(queue::Place::Deferred), 0u);
}
END_TEST

TEST(an_offer_that_did_not_fit_is_kept_and_delivered_when_it_has_its_name)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"});
    {
        test::NoDescriptors shortage;
        EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
        EQ(bed.manager->messages().size(), 0u);
    }
    cleaner.name(id_a);
    Agent agent(bed, local, 10);
    auto job = agent.next_as<ipc::Job>();
    EQ(job.queue_id, id_a);
    agent.answer(job, ipc::Disposition::Delivered);
    bed.until([&] { return bed.count(queue::Place::Incoming) == 0; });
}
END_TEST

TEST(a_message_stays_in_memory_until_its_file_says_who_has_it)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here", "b@here"}, false);
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    Agent agent(bed, local, 10);
    auto first = agent.next_as<ipc::Job>();
    auto second = agent.next_as<ipc::Job>();
    {
        test::NoDescriptors shortage;
        shortage.leave(3);
        agent.answer(first, ipc::Disposition::Delivered);
        agent.answer(second, ipc::Disposition::Deferred, "not now");
        bed.until([&] {
            const Message* message = bed.manager->find(std::string(id_a));
            ck_assert_msg(message, "it is forgotten");
            return message->outstanding == 0;
        });
        bed.settle();
        EQ(bed.manager->messages().size(), 1u);
    }
    bed.until([&] { return bed.manager->messages().empty(); });
    EQ(bed.count(queue::Place::Deferred), 1u);
    // One recipient is left, and no more.
    bed.manager->flush();
    auto third = agent.next_as<ipc::Job>();
    EQ(third.recipients.size(), 1u);
    EQ(third.recipients[0].recipient.address, second.recipients[0].recipient.address);
}
END_TEST

TEST(a_queue_file_for_which_no_descriptor_is_free_waits_where_it_is)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    {
        Cleaner cleaner(bed, *bed.manager);
        cleaner.offer(id_a, {"a@here"}, false);
        EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
        cleaner.name(id_a);
        Agent agent(bed, local, 10);
        agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Deferred, "not now");
        bed.until([&] { return bed.count(queue::Place::Deferred) == 1; });
        bed.settle();
    }
    {
        test::NoDescriptors shortage;
        THAT(!bed.manager->flush_message(std::string(id_a)));
        auto held = bed.manager->change(std::string(id_a), Manager::Change::Hold);
        EQ(held.error().code, EMFILE);
        EQ(bed.manager->messages().size(), 0u);
    }
    EQ(bed.count(queue::Place::Deferred), 1u);
    EQ(bed.count(queue::Place::Corrupt), 0u);
    OK(bed.manager->change(std::string(id_a), Manager::Change::Hold));
    EQ(bed.count(queue::Place::Hold), 1u);
}
END_TEST

TEST(a_transport_may_pass_a_recipient_on_once)
{
    Bed bed;
    int local = bed.listen("local"), other = bed.listen("other");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"});
    Agent agent(bed, local, 10);
    auto pass_on = [](Agent& from, std::string to) {
        auto job = from.next_as<ipc::Job>();
        ipc::Outcome outcome;
        outcome.job = job.job;
        outcome.index = job.recipients[0].index;
        outcome.pass_to = std::move(to);
        OK(from.connection.send(outcome));
    };
    pass_on(agent, "other:[host]");
    Agent second(bed, other, 10);
    auto job = second.next_as<ipc::Job>();
    EQ(job.nexthop, "[host]");
    EQ(job.recipients[0].recipient.address, "a@here");
    second.answer(job, ipc::Disposition::Delivered);
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Delivered);
    // Twice is a loop: it waits for somebody to mend it.
    cleaner.offer(id_b, {"a@here"});
    pass_on(agent, "other:[host]");
    pass_on(second, "local");
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    EQ(bed.manager->messages().size(), 1u);
    for (const auto& entry : bed.manager->messages()) {
        EQ(entry.second->recipients[0].status->dsn, "4.3.5");
        EQ(entry.second->recipients[0].status->text, "passed on to other:[host], and from there to local");
    }
}
END_TEST

TEST(the_owner_of_a_list_hears_of_its_failures_and_the_sender_of_others)
{
    Bed bed;
    int local = bed.listen("local"), bounce = bed.listen("bounce");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here", "list@here", "other@here"}, false);
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    Agent agent(bed, local, 10);
    for (int i = 0; i < 3; ++i) {
        auto job = agent.next_as<ipc::Job>();
        ipc::Outcome outcome;
        outcome.job = job.job;
        outcome.index = job.recipients[0].index;
        outcome.status.disposition = ipc::Disposition::Bounced;
        outcome.status.dsn = "5.1.1";
        if (job.recipients[0].recipient.address.starts_with("list"))
            outcome.return_to = "owner-list@here";
        OK(agent.connection.send(outcome));
    }
    Agent reporter(bed, bounce, 1);
    std::map<std::string, std::size_t> told;
    for (int i = 0; i < 2; ++i) {
        auto notify = reporter.next_as<ipc::Notify>();
        told[notify.envelope.sender] += notify.recipients.size();
        reporter.confirm(notify);
    }
    EQ(told["sender@example.org"], 2u);
    EQ(told["owner-list@here"], 1u);
    bed.until([&] { return bed.manager->messages().empty(); });
}
END_TEST

TEST(who_is_behind_a_local_alias_is_not_told_to_strangers)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"});
    Agent agent(bed, local, 10);
    auto job = agent.next_as<ipc::Job>();
    ipc::Outcome outcome;
    outcome.job = job.job;
    outcome.index = job.recipients[0].index;
    outcome.status.disposition = ipc::Disposition::Bounced;
    outcome.status.dsn = "5.1.1";
    outcome.expanded = true;
    OK(agent.connection.send(outcome));
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
}
END_TEST

SUITE(manager, a_transport_may_pass_a_recipient_on_once, the_owner_of_a_list_hears_of_its_failures_and_the_sender_of_others, who_is_behind_a_local_alias_is_not_told_to_strangers, a_notice_that_was_lost_is_ordered_again, a_message_that_is_delivered_in_time_never_gets_a_name,
      a_message_that_all_refuse_is_refused_and_not_bounced, a_temporary_failure_keeps_and_defers,
      a_race_ends_in_time_and_the_delivery_goes_on, what_does_not_race_waits_for_its_name,
      what_is_to_be_held_is_held_until_it_is_released, what_is_forced_to_expire_goes_back_after_one_more_attempt,
      what_is_to_be_verified_goes_only_to_agents_that_know_how,
      a_content_filter_overrules_routes_and_a_redirect_recipients,
      cleanup_gone_before_the_ruling_takes_the_message_along, cleanup_gone_after_keep_may_have_named_the_file,
      files_of_an_earlier_life_are_delivered_and_damaged_ones_set_aside,
      a_message_during_which_two_agents_ended_is_held, a_message_over_which_two_mailboxes_ended_is_held_and_can_be_released,
      of_many_messages_that_lose_their_agent_only_the_guilty_one_is_held, a_transport_without_a_service_defers,
      with_soft_bounce_a_failure_for_good_is_deferred, a_failure_after_keep_is_told_to_the_sender,
      an_offer_that_did_not_fit_is_kept_and_delivered_when_it_has_its_name,
      a_message_stays_in_memory_until_its_file_says_who_has_it, a_queue_file_for_which_no_descriptor_is_free_waits_where_it_is)

}  // namespace
