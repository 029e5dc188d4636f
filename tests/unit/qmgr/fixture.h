// A manager on a queue of its own, with a cleanup and agents played by the test over real sockets.
#pragma once

#include "libipc/connection.h"
#include "libqueue/queue_id.h"
#include "libqueue/writer.h"
#include "libutil/log.h"
#include "qmgr/manager.h"
#include "tests/unit/suite.h"

#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace test {

using namespace qmgr;
using namespace std::chrono_literals;

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
        manager.emplace(
            *loop, config, *directory, [this](const ipc::Recipient& r, const std::string& s) { return route(r, s); },
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
        envelope.arrival = (util::wall_now() - arrived_before).time_since_epoch().count();
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
    util::Duration arrived_before{};   // how long ago the message came
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
        outcome.status.dsn = disposition == ipc::Disposition::Delivered  ? "2.0.0"
                             : disposition == ipc::Disposition::Deferred ? "4.2.0"
                                                                         : "5.1.1";
        outcome.status.text = std::move(text);
        outcome.destination_failed = destination_failed;
        outcome.connected = connected;
        OK(connection.send(outcome));
    }
    bool connected = false;   // says that it keeps its connection
};

}  // namespace test
