// tools/sendmail/submit.h: a pickup, played by a child, that goes before it has answered.
#include "libipc/connection.h"
#include "libutil/unique_fd.h"
#include "tests/unit/sendmail/fake_sink.h"
#include "tests/unit/suite.h"

#include <cerrno>
#include <cstdlib>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using test::FakeSink;
using test::Taken;

// Greets, takes one record, and answers or goes; nobody comes after it.
class BriefPickup {
public:
    explicit BriefPickup(bool answers)
    {
        char name[] = "/tmp/tern-pickup-XXXXXX";
        ck_assert(::mkdtemp(name) != nullptr);
        directory_ = name;
        path = directory_ + "/pickup";
        util::UniqueFd listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EQ(::listen(listener.get(), 5), 0);
        child_ = ::fork();
        if (child_ > 0)
            return;
        ipc::Connection client(util::UniqueFd(::accept(listener.get(), nullptr, nullptr)));
        listener.reset();
        ipc::Greeting greeting;
        greeting.next_queue_id = "3Cbn4n0000z1234";
        bool good = client.send(greeting).ok() && client.receive().ok();
        ipc::Verdict refusal;
        refusal.kind = ipc::Verdict::Kind::Refused;
        refusal.text = "not this";
        good = good && (!answers || client.send(refusal).ok());
        client.close();
        ::_exit(good ? 0 : 1);
    }
    ~BriefPickup()
    {
        int status = 0;
        ck_assert(::waitpid(child_, &status, 0) == child_ && status == 0);
        ::unlink(path.c_str());
        ::rmdir(directory_.c_str());
    }

    std::string path;

private:
    std::string directory_;
    pid_t child_ = -1;
};

util::Result<void> submit(bool answers, std::size_t size, Taken& elsewhere, bool& opened)
{
    BriefPickup pickup(answers);
    auto sink = sendmail::open_pickup(pickup.path, [&]() -> util::Result<std::unique_ptr<sendmail::Sink>> {
        opened = true;
        return std::unique_ptr<sendmail::Sink>(std::make_unique<FakeSink>(elsewhere, util::Result<void>()));
    });
    OK(sink);
    ipc::Envelope envelope;
    envelope.sender = "me@example.org";
    (*sink)->begin(std::move(envelope), {{.address = "you@example.org"}});
    for (std::size_t written = 0; written < size; written += 1024)
        (*sink)->write(std::string(1024, 'x'));
    return (*sink)->finish();
}

TEST(a_message_that_pickup_did_not_answer_for_goes_elsewhere)
{
    for (std::size_t size : {std::size_t(1024), std::size_t(200 * 1024), sendmail::rescue_size}) {
        Taken elsewhere;
        bool opened = false;
        OK(submit(false, size, elsewhere, opened));
        THAT(elsewhere.finished);
        EQ(elsewhere.envelope.sender, "me@example.org");
        EQ(elsewhere.recipients.size(), 1U);
        EQ(elsewhere.content, std::string(size, 'x'));
    }
}
END_TEST

TEST(what_is_not_all_there_any_more_is_to_be_tried_later)
{
    Taken elsewhere;
    bool opened = false;
    auto result = submit(false, sendmail::rescue_size + 1024, elsewhere, opened);
    THAT(!result.ok());
    EQ(result.error().kind, util::Kind::Temporary);
    THAT(!opened);
}
END_TEST

TEST(a_refusal_is_an_answer)
{
    Taken elsewhere;
    bool opened = false;
    auto result = submit(true, 1024, elsewhere, opened);
    THAT(!result.ok());
    EQ(result.error().kind, util::Kind::Permanent);
    THAT(!opened);
}
END_TEST

}  // namespace

SUITE(submit, a_message_that_pickup_did_not_answer_for_goes_elsewhere, what_is_not_all_there_any_more_is_to_be_tried_later,
      a_refusal_is_an_answer)
