#include "auth/guard.h"

#include "libipc/connection.h"
#include "libutil/log.h"
#include "libutil/sys.h"
#include "tests/unit/suite.h"

#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

// A directory with a socket on which the test plays anvil(8).
struct Bed {
    Bed()
    {
        util::log::to_nowhere();
        char name[] = "/tmp/tern-guard-test.XXXXXX";
        path = ::mkdtemp(name);
        loop.emplace(util::EventLoop::create().take());
        guard.emplace(*loop, path + "/anvil");
    }
    ~Bed()
    {
        guard.reset();
        ::unlink((path + "/anvil").c_str());
        ::rmdir(path.c_str());
    }
    void listen()
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::string socket_path = path + "/anvil";
        std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
        listener.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        THAT(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        THAT(::listen(listener.get(), 5) == 0);
    }
    ipc::Connection accept()
    {
        ipc::Connection peer(util::UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));
        THAT(peer.valid());
        OK(peer.set_timeout(std::chrono::seconds(100)));
        return peer;
    }
    // Asks; the answer's account_failures, when it has come, are in `heard`.
    void ask(std::string account)
    {
        guard->ask("192.0.2.1", account, [this, account](const ipc::LoginHistory& history) {
            util::append(heard, account, '=', history.account_failures, ' ');
        });
    }
    void until(std::string_view wanted)
    {
        auto end = util::now() + std::chrono::seconds(100);
        while (heard != wanted && util::now() < end)
            loop->run_for(std::chrono::milliseconds(20));
        EQ(heard, wanted);
    }

    std::string path;
    std::optional<util::EventLoop> loop;
    std::optional<auth::Guard> guard;
    util::UniqueFd listener;
    std::string heard;
};

TEST(answers_go_to_who_asked_whatever_their_order)
{
    Bed bed;
    bed.listen();
    bed.ask("anna");
    bed.ask("bert");
    auto anvil = bed.accept();
    auto first = anvil.receive_as<ipc::LoginAsked>();
    auto second = anvil.receive_as<ipc::LoginAsked>();
    OK(first);
    OK(second);
    EQ(second->account, "bert");
    EQ(second->network, "192.0.2.1");
    OK(anvil.send(ipc::LoginHistory{.request = second->request, .account_failures = 2}));
    OK(anvil.send(ipc::LoginHistory{.request = 999, .account_failures = 9}));
    OK(anvil.send(ipc::LoginHistory{.request = first->request, .account_failures = 1}));
    bed.until("bert=2 anna=1 ");
    bed.guard->ended("192.0.2.1", "anna", true);
    auto ended = anvil.receive_as<ipc::LoginEnded>();
    OK(ended);
    EQ(ended->good, true);
}
END_TEST

TEST(without_anvil_nobody_has_a_history)
{
    Bed bed;
    bed.ask("anna");
    EQ(bed.heard, "anna=0 ");
    bed.ask("bert");
    EQ(bed.heard, "anna=0 bert=0 ");
}
END_TEST

TEST(an_anvil_that_ends_or_hangs_lets_all_go_on)
{
    Bed ends;
    ends.listen();
    ends.ask("anna");
    ends.accept().close();
    ends.until("anna=0 ");
    Bed hangs;
    hangs.listen();
    hangs.ask("anna");
    auto anvil = hangs.accept();
    hangs.until("anna=0 ");
    // It is left in peace for a while.
    hangs.ask("bert");
    EQ(hangs.heard, "anna=0 bert=0 ");
}
END_TEST

}  // namespace

SUITE(guard, answers_go_to_who_asked_whatever_their_order, without_anvil_nobody_has_a_history,
      an_anvil_that_ends_or_hangs_lets_all_go_on)
