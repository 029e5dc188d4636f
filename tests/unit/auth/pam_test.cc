#include "auth/pam.h"

#include "libipc/connection.h"
#include "libutil/log.h"
#include "libutil/sys.h"
#include "tests/unit/suite.h"

#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

// A directory with a socket on which the test plays auth-pam(8).
struct PamBed {
    explicit PamBed(util::Duration limit)
    {
        util::log::to_nowhere();
        char name[] = "/tmp/tern-pam-test.XXXXXX";
        path = ::mkdtemp(name);
        std::string socket_path = path + "/pam";
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
        listener.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        THAT(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        THAT(::listen(listener.get(), 5) == 0);
        pam.emplace(loop, socket_path, limit);
    }
    ~PamBed()
    {
        pam.reset();
        ::unlink((path + "/pam").c_str());
        ::rmdir(path.c_str());
    }
    void ask(std::string user)
    {
        ipc::CheckUser question;
        question.user = user;
        pam->ask(std::move(question), [this, user](const ipc::UserChecked& answer) {
            util::append(heard, user,
                         answer.verdict == ipc::UserChecked::Verdict::Good ? "=good " : util::concat("=", answer.text, " "));
        });
    }
    ipc::Connection accept()
    {
        ipc::Connection peer(util::UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));
        THAT(peer.valid());
        OK(peer.set_timeout(std::chrono::seconds(100)));
        return peer;
    }

    util::EventLoop loop = util::EventLoop::create().take();
    std::string path;
    util::UniqueFd listener;
    std::optional<auth::Pam> pam;
    std::string heard;
};

TEST(one_question_without_an_answer_does_not_wait_for_ever_behind_others)
{
    PamBed bed(std::chrono::seconds(5));
    bed.ask("stuck");
    auto daemon = bed.accept();
    OK(daemon.receive_as<ipc::CheckUser>());
    auto end = util::now() + std::chrono::seconds(100);
    std::size_t others = 0;
    while (bed.heard.find("stuck") == std::string::npos && util::now() < end) {
        bed.heard.clear();
        bed.ask("other");
        auto question = daemon.receive_as<ipc::CheckUser>();
        OK(question);
        OK(daemon.send(ipc::UserChecked{.request = question->request, .verdict = ipc::UserChecked::Verdict::Good}));
        while (bed.heard.find("other=") == std::string::npos && util::now() < end)
            bed.loop.run_for(std::chrono::milliseconds(1));
        THAT(bed.heard.find("other=good") != std::string::npos);
        ++others;
    }
    THAT(others > 0);
    THAT(bed.heard.find("stuck=auth-pam: no answer ") != std::string::npos);
    // The daemon goes on, by the same connection.
    bed.ask("next");
    EQ(daemon.receive_as<ipc::CheckUser>()->user, "next");
}
END_TEST

TEST(a_daemon_that_hangs_is_left_and_all_hear_so)
{
    PamBed bed(std::chrono::milliseconds(20));
    bed.ask("one");
    auto daemon = bed.accept();
    bed.ask("two");
    auto end = util::now() + std::chrono::seconds(100);
    while (bed.heard.find("two") == std::string::npos && util::now() < end)
        bed.loop.run_for(std::chrono::milliseconds(1));
    EQ(bed.heard, "one=auth-pam: no answer two=auth-pam: no answer ");
    OK(daemon.receive());
    OK(daemon.receive());
    THAT(!daemon.receive().ok());
    bed.ask("three");
    EQ(bed.accept().receive_as<ipc::CheckUser>()->user, "three");
}
END_TEST

}  // namespace

SUITE(pam, one_question_without_an_answer_does_not_wait_for_ever_behind_others, a_daemon_that_hangs_is_left_and_all_hear_so)
