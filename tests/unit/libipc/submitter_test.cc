// Submitter against a scripted cleanup.
#include "libipc/submitter.h"
#include "tests/unit/suite.h"

#include <deque>
#include <sys/socket.h>
#include <thread>

namespace {

// The other ends of the connections that the client makes.
struct Peer {
    std::deque<ipc::Connection> ends;
    int connects = 0;
    int id = 0;
    bool refuse = false;

    ipc::Submitter::Connect connector()
    {
        return [this]() -> util::Result<ipc::Connection> {
            if (refuse)
                return util::temporary("nobody listens");
            ++connects;
            auto pair = util::sys::socket_pair(SOCK_SEQPACKET).take();
            ipc::Connection near(std::move(pair.first));
            (void)near.set_timeout(std::chrono::seconds(100));
            ends.emplace_back(std::move(pair.second));
            (void)ends.back().set_timeout(std::chrono::seconds(100));
            (void)ends.back().send(ipc::Greeting{1, next_id()});
            return near;
        };
    }
    std::string next_id() { return util::concat("Q", ++id); }
    // Waits for Renounce, and answers it.
    void take_back()
    {
        if (ends.back().receive_as<ipc::Renounce>().ok())
            (void)ends.back().send(ipc::Greeting{1, next_id()});
    }
    // The answer can be there before the message: it waits in the socket.
    void answer(ipc::Verdict::Kind kind = ipc::Verdict::Kind::Kept)
    {
        (void)ends.back().send(ipc::Verdict{kind, 250, "2.0.0", "", next_id()});
    }
};

void begin(ipc::Submitter& client, std::size_t recipients = 1)
{
    std::vector<ipc::Recipient> list(recipients);
    for (std::size_t i = 0; i < recipients; ++i) {
        list[i].address = util::concat("r", i, "@example.org");
        list[i].original = std::string(i % 20, 'o');
    }
    ipc::Envelope envelope;
    envelope.sender = "a@example.com";
    client.begin(std::move(envelope), std::move(list),
                 [](const std::string& id) { return "Trace: " + id + "\r\n"; });
}

TEST(a_small_message_is_one_record)
{
    Peer peer;
    ipc::Submitter client(peer.connector());
    for (int i = 1; i <= 3; ++i) {
        EQ(*client.next_queue_id(), util::concat("Q", i));
        begin(client);
        client.buffer() += "X: hello\r\n";
        THAT(client.flow());
        peer.answer();
        auto verdict = client.finish();
        OK(verdict);
        THAT(verdict->kind == ipc::Verdict::Kind::Kept);
        auto record = peer.ends.back().receive_as<ipc::Begin>();
        OK(record);
        EQ(record->content, util::concat("Trace: Q", i, "\r\nX: hello\r\n"));
        THAT(record->last);
        EQ(record->recipients.size(), 1U);
        EQ(record->envelope.queue_id, util::concat("Q", i));
        EQ(client.queue_id(), util::concat("Q", i));
    }
    EQ(peer.connects, 1);
}
END_TEST

TEST(a_large_message_comes_in_pieces_with_nothing_lost)
{
    // Around the size of a piece, with the trace, and well above it.
    for (std::size_t size : {65'535U, 65'536U, 65'537U, 65'524U, 65'525U, 65'526U, 200'000U}) {
        Peer peer;
        ipc::Submitter client(peer.connector());
        OK(client.next_queue_id());
        begin(client);
        std::string content = "X:";
        for (std::size_t i = 2; i < size; ++i)
            content += char('a' + i % 23);
        for (std::size_t at = 0; at < size; at += 10'000) {
            client.buffer() += content.substr(at, 10'000);
            THAT(client.flow());
        }
        peer.answer();
        OK(client.finish());
        auto record = peer.ends.back().receive_as<ipc::Begin>();
        OK(record);
        std::string all = record->content;
        THAT(record->content.size() <= ipc::content_piece_size);
        bool last = record->last;
        while (!last) {
            auto piece = peer.ends.back().receive_as<ipc::Content>();
            OK(piece);
            THAT(piece->content.size() <= ipc::content_piece_size);
            all += piece->content;
            last = piece->last;
        }
        EQ(all, "Trace: Q1\r\n" + content);
    }
}
END_TEST

TEST(the_trace_stays_apart_from_content_that_is_no_header)
{
    for (auto [content, between] : {std::pair{"Subject: x\r\n\r\n", ""}, {"\r\nbody\r\n", ""}, {"", ""},
                                    {"no header\r\n", "\r\n"}, {" forged: part of the trace\r\n", "\r\n"},
                                    {"\tX: y\r\n", "\r\n"}, {"From a@b Mon Nov 24 10:00:00 2026\r\n", "X-Mailbox-Line: "},
                                    {">From a\r\n", "X-Mailbox-Line: "}, {"From: a\r\n", ""}}) {
        Peer peer;
        ipc::Submitter client(peer.connector());
        OK(client.next_queue_id());
        begin(client);
        client.buffer() += content;
        peer.answer();
        OK(client.finish());
        auto record = peer.ends.back().receive_as<ipc::Begin>();
        OK(record);
        EQ(record->content, util::concat("Trace: Q1\r\n", between, content));
    }
}
END_TEST

TEST(many_recipients_follow_before_the_content)
{
    Peer peer;
    ipc::Submitter client(peer.connector());
    OK(client.next_queue_id());
    begin(client, 2000);
    client.buffer() += "X: hello\r\n";
    peer.answer();
    OK(client.finish());
    auto record = peer.ends.back().receive_as<ipc::Begin>();
    OK(record);
    EQ(record->content, "");
    THAT(!record->last);
    std::vector<ipc::Recipient> all = std::move(record->recipients);
    while (all.size() < 2000) {
        auto more = peer.ends.back().receive_as<ipc::More>();
        OK(more);
        THAT(!more->recipients.empty());
        for (auto& recipient : more->recipients)
            all.push_back(std::move(recipient));
    }
    for (std::size_t i = 0; i < all.size(); ++i)
        EQ(all[i].address, util::concat("r", i, "@example.org"));
    std::string content;
    for (bool last = false; !last;) {
        auto piece = peer.ends.back().receive_as<ipc::Content>();
        OK(piece);
        content += piece->content;
        last = piece->last;
    }
    EQ(content, "Trace: Q1\r\nX: hello\r\n");
}
END_TEST

TEST(an_id_that_was_told_and_not_used_is_given_up)
{
    Peer peer;
    ipc::Submitter client(peer.connector());
    EQ(*client.next_queue_id(), "Q1");
    EQ(*client.next_queue_id(), "Q1");
    client.abandon();  // RSET
    std::thread cleanup([&] { peer.take_back(); });
    EQ(*client.next_queue_id(), "Q2");
    cleanup.join();
    begin(client);
    client.buffer() += "X: hello\r\n";
    peer.answer();
    OK(client.finish());
    EQ(client.queue_id(), "Q2");
    EQ(*client.next_queue_id(), "Q3");
    EQ(peer.connects, 1);
    // A cleanup that does not know of it closes the connection.
    client.abandon();
    ipc::Connection old = std::move(peer.ends.back());
    peer.ends.pop_back();
    old.close();
    EQ(*client.next_queue_id(), "Q4");
    EQ(peer.connects, 2);
    // Nobody was told an id: nothing to give up.
    begin(client);
    client.buffer() += "X: hello\r\n";
    peer.answer();
    OK(client.finish());
    client.abandon();
    EQ(*client.next_queue_id(), "Q5");
}
END_TEST

TEST(a_closed_connection_is_made_anew_once)
{
    Peer peer;
    // The answer must wait in the second connection.
    ipc::Submitter client([&]() -> util::Result<ipc::Connection> {
        auto made = peer.connector()();
        if (peer.connects == 2)
            peer.answer();
        return made;
    });
    OK(client.next_queue_id());
    peer.ends.clear(); // cleanup has ended
    begin(client);
    client.buffer() += "X: hello\r\n";
    OK(client.finish());
    auto record = peer.ends.back().receive_as<ipc::Begin>();
    OK(record);
    // Under the new id, in the trace too.
    EQ(record->envelope.queue_id, "Q2");
    EQ(record->content, "Trace: Q2\r\nX: hello\r\n");
    EQ(client.queue_id(), "Q2");
}
END_TEST

TEST(the_id_is_never_that_of_a_connection_that_has_ended)
{
    Peer peer;
    ipc::Submitter client(peer.connector());
    EQ(*client.next_queue_id(), "Q1");
    EQ(*client.next_queue_id(), "Q1");
    peer.ends.clear();
    EQ(*client.next_queue_id(), "Q2");
    EQ(peer.connects, 2);
}
END_TEST

TEST(recipients_may_follow_until_the_content_comes_and_long_texts_go_piece_by_piece)
{
    Peer peer;
    ipc::Submitter client(peer.connector());
    OK(client.next_queue_id());
    begin(client);
    client.add_recipient({.address = "late@example.org"});
    std::string content = "X:" + std::string(150'000, 'x');
    client.write(content);
    THAT(client.buffer().size() < ipc::content_piece_size);
    peer.answer();
    OK(client.finish());
    auto record = peer.ends.back().receive_as<ipc::Begin>();
    OK(record);
    EQ(record->recipients.size(), 2U);
    EQ(record->recipients[1].address, "late@example.org");
    std::size_t size = record->content.size();
    for (bool last = false; !last;) {
        auto piece = peer.ends.back().receive_as<ipc::Content>();
        OK(piece);
        size += piece->content.size();
        last = piece->last;
    }
    EQ(size, content.size() + std::string("Trace: Q1\r\n").size());
}
END_TEST

TEST(when_cleanup_dies_over_a_large_message_the_client_is_told_to_try_again)
{
    Peer peer;
    ipc::Submitter client(peer.connector());
    OK(client.next_queue_id());
    begin(client);
    client.buffer().assign(70'000, 'x');
    THAT(client.flow());
    peer.ends.clear();
    client.buffer().append(70'000, 'x');
    THAT(!client.flow());
    THAT(!client.finish().ok());
    // And the next message goes over a new connection.
    EQ(*client.next_queue_id(), "Q2");
    EQ(peer.connects, 2);
}
END_TEST

TEST(an_early_verdict_ends_the_sending)
{
    Peer peer;
    ipc::Submitter client(peer.connector());
    OK(client.next_queue_id());
    begin(client);
    peer.answer(ipc::Verdict::Kind::Failed);
    client.buffer().assign(70'000, 'x');
    THAT(!client.flow());
    client.buffer().assign(70'000, 'x');
    THAT(!client.flow());
    EQ(client.buffer().size(), 0U);
    auto verdict = client.finish();
    OK(verdict);
    THAT(verdict->kind == ipc::Verdict::Kind::Failed);
    OK(client.next_queue_id());
    EQ(peer.connects, 2);
}
END_TEST

TEST(abandoning_leaves_the_connection_when_nothing_was_sent_and_closes_it_else)
{
    Peer peer;
    ipc::Submitter client(peer.connector());
    OK(client.next_queue_id());
    begin(client);
    client.buffer() += "x";
    client.abandon();
    std::thread cleanup([&] { peer.take_back(); });
    OK(client.next_queue_id());
    cleanup.join();
    EQ(peer.connects, 1);
    begin(client);
    client.buffer().assign(70'000, 'x');
    THAT(client.flow());
    client.abandon();
    OK(client.next_queue_id());
    EQ(peer.connects, 2);
}
END_TEST

TEST(nobody_there_is_not_a_permanent_error)
{
    Peer peer;
    peer.refuse = true;
    ipc::Submitter client(peer.connector());
    EQ(client.next_queue_id().error().kind, util::Kind::Temporary);
    ipc::Submitter nowhere("/nonexistent/socket", std::chrono::seconds(1));
    THAT(nowhere.next_queue_id().error().kind != util::Kind::Permanent);
}
END_TEST

} // namespace

SUITE(submitter, a_small_message_is_one_record, a_large_message_comes_in_pieces_with_nothing_lost,
      the_trace_stays_apart_from_content_that_is_no_header,
      many_recipients_follow_before_the_content, an_id_that_was_told_and_not_used_is_given_up,
      a_closed_connection_is_made_anew_once,
      the_id_is_never_that_of_a_connection_that_has_ended,
      recipients_may_follow_until_the_content_comes_and_long_texts_go_piece_by_piece,
      when_cleanup_dies_over_a_large_message_the_client_is_told_to_try_again,
      an_early_verdict_ends_the_sending,
      abandoning_leaves_the_connection_when_nothing_was_sent_and_closes_it_else,
      nobody_there_is_not_a_permanent_error)
