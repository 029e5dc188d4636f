// Submitter against a scripted cleanup at a socket.
#include "libipc/submitter.h"
#include "tests/unit/suite.h"

#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>

namespace {

// A listening socket in a directory of its own; the test plays cleanup in the same process, which
// works because a socket holds several records.
struct Cleanup {
    std::string path;
    util::UniqueFd listener;
    ipc::Connection peer;

    Cleanup()
    {
        char name[] = "/tmp/tern-submitter-XXXXXX";
        ck_assert(mkdtemp(name));
        path = std::string(name) + "/cleanup";
        listener = util::UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, path.c_str());
        ck_assert_int_eq(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        ck_assert_int_eq(::listen(listener.get(), 5), 0);
    }
    ~Cleanup()
    {
        (void)util::sys::unlink(path).ok();
        (void)util::sys::rmdir(path.substr(0, path.rfind('/'))).ok();
    }
    void accept_and_greet(std::string id)
    {
        peer = ipc::Connection(util::UniqueFd(::accept(listener.get(), nullptr, nullptr)));
        ipc::Greeting greeting;
        greeting.next_queue_id = std::move(id);
        OK(peer.send(greeting));
    }
};

ipc::Verdict kept(std::string next)
{
    ipc::Verdict verdict;
    verdict.kind = ipc::Verdict::Kind::Kept;
    verdict.code = 250;
    verdict.next_queue_id = std::move(next);
    return verdict;
}

constexpr util::Duration timeout = std::chrono::seconds(10);

// next_queue_id() waits for the greeting, so cleanup's part runs in a child.
template <typename Script>
pid_t play(Script script)
{
    pid_t child = fork();
    if (child == 0) {
        script();
        _exit(0);
    }
    return child;
}

}  // namespace

TEST(a_small_message_is_one_record)
{
    Cleanup cleanup;
    play([&] {
        cleanup.accept_and_greet("id1");
        auto begin = cleanup.peer.receive_as<ipc::Begin>();
        OK(begin);
        EQ(begin->content, "hello\r\n");
        THAT(begin->last);
        EQ(begin->recipients.size(), 1U);
        OK(cleanup.peer.send(kept("id2")));
        (void)cleanup.peer.receive().ok();
    });
    ipc::Submitter submitter(cleanup.path, timeout);
    auto id = submitter.next_queue_id();
    OK(id);
    EQ(*id, "id1");
    {
        ipc::Submission submission(submitter, {.queue_id = *id});
        submission.add_recipient({"a@b", "", 0});
        submission.write("hello\r\n");
        auto verdict = submission.finish();
        OK(verdict);
        THAT(verdict->kind == ipc::Verdict::Kind::Kept);
    }
    EQ(*submitter.next_queue_id(), "id2");
}
END_TEST

TEST(a_large_message_with_many_recipients_goes_in_pieces)
{
    Cleanup cleanup;
    play([&] {
        cleanup.accept_and_greet("id1");
        std::size_t recipients = 0, bytes = 0;
        bool last = false;
        while (!last) {
            auto packet = cleanup.peer.receive();
            OK(packet);
            if (packet->name() == "begin") {
                auto begin = ipc::decode<ipc::Begin>(*packet);
                recipients += begin->recipients.size();
                bytes += begin->content.size();
                last = begin->last;
            } else if (packet->name() == "more") {
                recipients += ipc::decode<ipc::More>(*packet)->recipients.size();
            } else {
                auto content = ipc::decode<ipc::Content>(*packet);
                bytes += content->content.size();
                last = content->last;
            }
        }
        auto verdict = kept("id2");
        verdict.text = util::concat(recipients, " ", bytes);
        OK(cleanup.peer.send(verdict));
    });
    ipc::Submitter submitter(cleanup.path, timeout);
    auto id = submitter.next_queue_id();
    OK(id);
    ipc::Submission submission(submitter, {.queue_id = *id});
    for (int i = 0; i < 100; ++i)
        submission.add_recipient({std::string(300, 'a') + "@b", std::string(500, 'o'), 0});
    std::string piece(100'000, 'x');
    submission.write(piece);
    submission.write(piece);
    auto verdict = submission.finish();
    OK(verdict);
    EQ(verdict->text, "100 200000");
}
END_TEST

TEST(an_early_verdict_is_found_when_sending_fails)
{
    Cleanup cleanup;
    play([&] {
        cleanup.accept_and_greet("id1");
        OK(cleanup.peer.receive_as<ipc::Begin>());
        ipc::Verdict verdict;
        verdict.kind = ipc::Verdict::Kind::Refused;
        verdict.code = 552;
        OK(cleanup.peer.send(verdict));
    });
    ipc::Submitter submitter(cleanup.path, timeout);
    auto id = submitter.next_queue_id();
    OK(id);
    ipc::Submission submission(submitter, {.queue_id = *id});
    submission.add_recipient({"a@b", "", 0});
    std::string piece(ipc::content_piece_size, 'x');
    for (int i = 0; i < 100; ++i)
        submission.write(piece);
    auto verdict = submission.finish();
    OK(verdict);
    EQ(verdict->code, 552);
}
END_TEST

TEST(a_message_given_up_closes_the_connection)
{
    Cleanup cleanup;
    pid_t child = play([&] {
        cleanup.accept_and_greet("id1");
        OK(cleanup.peer.receive_as<ipc::Begin>());
        THAT(!cleanup.peer.receive().ok());
        cleanup.accept_and_greet("id3");
    });
    THAT(child > 0);
    ipc::Submitter submitter(cleanup.path, timeout);
    auto id = submitter.next_queue_id();
    OK(id);
    {
        ipc::Submission submission(submitter, {.queue_id = *id});
        submission.add_recipient({"a@b", "", 0});
        submission.write(std::string(ipc::content_piece_size + 1, 'x'));
    }
    EQ(*submitter.next_queue_id(), "id3");
}
END_TEST

TEST(without_cleanup_the_error_is_not_permanent)
{
    ipc::Submitter submitter("/tmp/tern-there-is-no-such-socket", timeout);
    THAT(submitter.next_queue_id().error().kind != util::Kind::Permanent);
}
END_TEST

SUITE(submitter, a_small_message_is_one_record, a_large_message_with_many_recipients_goes_in_pieces,
      an_early_verdict_is_found_when_sending_fails, a_message_given_up_closes_the_connection,
      without_cleanup_the_error_is_not_permanent)
