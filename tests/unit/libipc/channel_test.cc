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
    std::vector<ipc::Packet> unsent;   // when it was closed
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
                        else if (received.back() == "close")
                            channel->close();
                        else if (received.back() == "fail")
                            channel->fail(util::invalid("wrong"));
                        else if (received.back() == "hear out")
                            channel->hear_out();
                        else if (received.back() == "answer")
                            channel->send(*named);
                    },
                .closed = [this](const util::Error& error) { closed = error, unsent = channel->take_unsent(); },
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

TEST(who_hears_out_in_the_middle_of_a_batch_loses_nothing_of_it)
{
    Fixture f;
    for (const char* id : {"0", "hear out", "1", "hear out", "2"})
        OK(f.peer.send(named(id)));
    f.run();
    THAT((f.received == std::vector<std::string>{"0", "hear out", "1", "hear out", "2"}));
    THAT(!f.channel->is_open());
    f.run();
    THAT(!f.closed);

    Fixture destroyed;
    for (const char* id : {"hear out", "destroy", "never"})
        OK(destroyed.peer.send(named(id)));
    destroyed.run();
    EQ(destroyed.received.size(), 2U);
}
END_TEST

// A peer that said something and went, which a send finds out.
TEST(what_a_peer_said_before_it_went_is_received_from_the_loop_before_its_end_is_told)
{
    for (bool unread : {false, true}) {   // the kernel tells who went without reading all by another error
        Fixture f;
        if (unread)
            f.channel->send(named("unread"));
        for (int i = 0; i < 10; ++i)
            OK(f.peer.send(named(util::concat(i))));
        f.peer.close();
        f.channel->send(named("late"));
        THAT(!f.channel->is_open());
        THAT(f.received.empty() && !f.closed);
        f.channel->send(named("later"));
        while (!f.closed)
            f.run();
        EQ(f.received.size(), 10U);
        EQ(f.received.back(), "9");
        // Who tells a peer that left in good order from one that died on the way asks for this.
        EQ(f.closed->code, unread ? ECONNRESET : EPIPE);
        f.closed.reset();
        f.run();
        THAT(!f.closed);
    }
}
END_TEST

TEST(a_peer_that_went_without_reading_is_heard)
{
    Fixture f;
    f.channel->send(named("unread"));
    OK(f.peer.send(named("last")));
    f.peer.close();
    while (!f.closed)
        f.run();
    THAT((f.received == std::vector<std::string>{"last"}));

    Fixture heard;
    heard.channel->send(named("unread"));
    OK(heard.peer.send(named("last")));
    heard.peer.close();
    heard.channel->hear_out();
    THAT((heard.received == std::vector<std::string>{"last"}));
}
END_TEST

TEST(a_peer_that_said_something_and_went_while_records_waited_for_it_is_heard)
{
    Fixture f;
    std::string large(100'000, 'x');
    while (f.channel->queued() < 3)
        f.channel->send(named(large));
    OK(f.peer.send(named("last")));
    f.peer.close();
    while (!f.closed)
        f.run();
    THAT((f.received == std::vector<std::string>{"last"}));
    THAT(!f.drained);
}
END_TEST

TEST(what_a_peer_said_before_it_went_may_end_the_channel_in_any_way)
{
    for (std::string word : {"destroy", "close", "fail", "hear out"}) {
        Fixture f;
        OK(f.peer.send(named(word)));
        OK(f.peer.send(named("more")));
        f.peer.close();
        f.channel->send(named("late"));
        for (int i = 0; i < 3; ++i)
            f.run();
        EQ(f.received.size(), word == "hear out" ? 2U : 1U);
        EQ(f.closed.has_value(), word == "fail");
        THAT(!f.closed || f.closed->kind == util::Kind::Invalid);
    }
    // Or its owner does not wait for it.
    Fixture f;
    OK(f.peer.send(named("last")));
    f.peer.close();
    f.channel->send(named("late"));
    f.channel->hear_out();
    EQ(f.received.size(), 1U);
    f.run();
    THAT(!f.closed);
}
END_TEST

// One batch has the question, what came behind it and the end; sending the answer finds that the peer has gone.
TEST(who_answers_a_peer_that_has_gone_hears_the_rest_of_the_batch_once)
{
    Fixture f;
    OK(f.peer.send(named("answer")));
    OK(f.peer.send(named("last")));
    f.peer.close();
    while (!f.closed)
        f.run();
    EQ(f.closed->code, EPIPE);
    EQ(f.received.size(), 2U);
    EQ(f.received.back(), "last");
}
END_TEST

TEST(who_receives_nothing_more_has_what_was_sent_and_sends_on)
{
    Fixture f;
    for (int i = 0; i < 20; ++i)
        OK(f.peer.send(named(util::concat(i))));
    f.channel->stop_receiving();
    EQ(f.received.size(), 20U);
    THAT(f.channel->is_open());
    THAT(!f.peer.send(named("more")).ok());
    f.channel->send(named("answer"));
    EQ(f.peer.receive_as<ipc::Named>()->queue_id, "answer");
    f.run();
    THAT(!f.closed);
    // The end of the peer is seen by what is sent to it.
    f.peer.close();
    f.channel->send(named("late"));
    while (!f.closed)
        f.run();
    EQ(f.received.size(), 20U);
}
END_TEST

TEST(who_has_paused_hears_of_an_end_and_nothing_before_it)
{
    Fixture f;
    f.channel->pause(true);
    OK(f.peer.send(named("last")));
    f.peer.close();
    f.channel->send(named("late"));
    while (!f.closed)
        f.run();
    THAT(f.received.empty());
}
END_TEST

TEST(what_was_never_sent_can_be_had_back_with_its_descriptors)
{
    for (bool gone : {false, true}) {
        Fixture f;
        std::string large(100'000, 'x');
        while (f.channel->queued() < 1)
            f.channel->send(named(large));
        auto pair = util::sys::socket_pair(SOCK_STREAM).take();
        ipc::Offer offer;
        offer.queue_id = "4Xq1";
        offer.message = std::move(pair.first);
        f.channel->send(offer);
        offer.message.reset();
        if (gone)
            f.peer.close();
        while (gone && !f.closed)
            f.run();
        auto unsent = gone ? std::move(f.unsent) : f.channel->take_unsent();
        EQ(unsent.size(), 2U);
        auto decoded = ipc::decode<ipc::Offer>(unsent[1]);
        OK(decoded);
        EQ(decoded->queue_id, "4Xq1");
        EQ(::send(decoded->message.get(), "x", 1, MSG_NOSIGNAL), 1);
        EQ(f.channel->queued(), 0U);
    }
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

SUITE(channel, who_hears_out_in_the_middle_of_a_batch_loses_nothing_of_it,
      what_a_peer_said_before_it_went_is_received_from_the_loop_before_its_end_is_told,
      a_peer_that_went_without_reading_is_heard,
      a_peer_that_said_something_and_went_while_records_waited_for_it_is_heard,
      who_answers_a_peer_that_has_gone_hears_the_rest_of_the_batch_once,
      who_receives_nothing_more_has_what_was_sent_and_sends_on,
      what_a_peer_said_before_it_went_may_end_the_channel_in_any_way, who_has_paused_hears_of_an_end_and_nothing_before_it,
      what_was_never_sent_can_be_had_back_with_its_descriptors,
      who_hears_out_loses_nothing_that_was_sent_and_its_peer_nothing_that_was_not, many_records_arrive_in_order,
      a_callback_may_destroy_its_channel,
      the_end_of_the_peer_is_told_once, what_the_socket_does_not_take_waits_and_goes_later,
      a_peer_that_does_not_read_is_given_up_at_the_limit)
