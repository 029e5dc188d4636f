// Channels in an event loop, against a plain Connection at the other end.
#include "libipc/channel.h"
#include "libipc/connection.h"
#include "libipc/offer.h"
#include "tests/unit/suite.h"

#include <cerrno>
#include <sys/socket.h>

namespace {

struct Fixture {
    util::EventLoop loop = util::EventLoop::create().take();
    ipc::Connection peer;
    std::unique_ptr<ipc::Channel> channel;
    std::vector<std::string> received;
    std::optional<util::Error> closed;
    bool drained = false;

    explicit Fixture(std::size_t limit = ipc::Channel::default_queue_limit)
    {
        auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
        ck_assert(pair.ok());
        peer = ipc::Connection(std::move(pair->first));
        channel = std::make_unique<ipc::Channel>(
            loop, std::move(pair->second),
            ipc::Channel::Events{
                .received =
                    [this](ipc::Packet& packet) {
                        auto named = ipc::decode<ipc::Named>(packet);
                        received.push_back(named.ok() ? named->queue_id : "?");
                        if (received.back() == "destroy")
                            channel.reset();
                    },
                .closed = [this](const util::Error& error) { closed = error; },
                .drained = [this] { drained = true; }},
            limit);
    }
    void run() { loop.run_for(util::Duration(20'000)); }
};

ipc::Named named(std::string id)
{
    ipc::Named message;
    message.queue_id = std::move(id);
    return message;
}

}  // namespace

TEST(many_records_arrive_in_order)
{
    Fixture f;
    for (int i = 0; i < 20; ++i)
        OK(f.peer.send(named(util::concat(i))));
    while (f.received.size() < 20)
        f.run();
    EQ(f.received.front(), "0");
    EQ(f.received.back(), "19");
}
END_TEST

TEST(a_callback_may_destroy_its_channel)
{
    Fixture f;
    OK(f.peer.send(named("destroy")));
    OK(f.peer.send(named("never")));
    f.run();
    EQ(f.received.size(), 1U);
    THAT(!f.channel);
}
END_TEST

TEST(who_hears_out_loses_nothing_that_was_sent_and_its_peer_nothing_that_was_not)
{
    Fixture f;
    for (int i = 0; i < 20; ++i)
        OK(f.peer.send(named(util::concat(i))));
    f.channel->hear_out();
    EQ(f.received.size(), 20U);
    THAT(!f.channel->is_open());
    THAT(!f.peer.send(named("more")).ok());
    f.run();
    THAT(!f.closed);
    f.channel->hear_out();

    Fixture destroyed;
    OK(destroyed.peer.send(named("destroy")));
    OK(destroyed.peer.send(named("never")));
    destroyed.channel->hear_out();
    EQ(destroyed.received.size(), 1U);

    // What it sends while the rest is heard does not get lost either.
    Fixture late;
    bool sent = true;
    auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
    OK(pair);
    late.peer = ipc::Connection(std::move(pair->first));
    late.channel = std::make_unique<ipc::Channel>(late.loop, std::move(pair->second),
        ipc::Channel::Events{.received = [&](ipc::Packet&) { sent = late.peer.send(named("late")).ok(); }, .closed = {}});
    OK(late.peer.send(named("early")));
    late.channel->hear_out();
    THAT(!sent);
}
END_TEST

TEST(the_end_of_the_peer_is_told_once)
{
    Fixture f;
    f.peer.close();
    while (!f.closed)
        f.run();
    THAT(f.closed && f.closed->code == ECONNRESET);
    THAT(!f.channel->is_open());
}
END_TEST

TEST(what_the_socket_does_not_take_waits_and_goes_later)
{
    Fixture f;
    std::string large(100'000, 'x');
    int sent = 0;
    while (f.channel->queued() < 3 && ++sent < 1000)
        f.channel->send(named(large));
    THAT(f.channel->queued() == 3);
    for (int i = 0; i < sent; ++i) {
        f.run();
        OK(f.peer.receive_as<ipc::Named>());
    }
    while (!f.drained)
        f.run();
    EQ(f.channel->queued(), 0U);
}
END_TEST

TEST(a_peer_that_does_not_read_is_given_up_at_the_limit)
{
    Fixture f(2);
    std::string large(100'000, 'x');
    for (int i = 0; i < 1000 && f.channel->is_open(); ++i)
        f.channel->send(named(large));
    THAT(!f.channel->is_open());
    THAT(!f.closed);  // told from the loop, not from within send()
    while (!f.closed)
        f.run();
}
END_TEST

SUITE(channel, who_hears_out_loses_nothing_that_was_sent_and_its_peer_nothing_that_was_not, many_records_arrive_in_order,
      a_callback_may_destroy_its_channel,
      the_end_of_the_peer_is_told_once, what_the_socket_does_not_take_waits_and_goes_later,
      a_peer_that_does_not_read_is_given_up_at_the_limit)
