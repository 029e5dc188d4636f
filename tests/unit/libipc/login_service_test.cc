// What a door hears of usher, against a socket that the test serves.
#include "libipc/connection.h"
#include "libipc/login_service.h"
#include "tests/unit/suite.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>

namespace {

// A socket where usher's would be.
struct UsherSocket {
    UsherSocket() : fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0))
    {
        char name[] = "/tmp/login-service-XXXXXX";
        ck_assert(::mkdtemp(name) != nullptr);
        directory = name;
        path = directory + "/usher";
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EQ(::listen(fd.get(), 5), 0);
    }
    ~UsherSocket()
    {
        ::unlink(path.c_str());
        ::rmdir(directory.c_str());
    }

    std::string directory, path;
    util::UniqueFd fd;
};

TEST(a_door_that_ends_hears_what_comes_back_and_takes_nothing_more)
{
    UsherSocket socket;
    auto loop = util::EventLoop::create().take();
    ipc::LoginService logins(loop, ipc::Service::Imap, {"/nonexistent", socket.path});
    std::vector<std::string> returned;
    logins.on_returned([&](ipc::SessionReturned session) { returned.push_back(session.facts.session); });
    logins.hear_out();   // usher was never asked
    THAT(logins.open({}, [](const ipc::LoginService::Opened&) {}) != 0);
    ipc::Connection usher(util::UniqueFd(::accept4(socket.fd.get(), nullptr, nullptr, SOCK_CLOEXEC)));
    ipc::SessionReturned one, two;
    one.facts.session = "s1";
    two.facts.session = "s2";
    OK(usher.send(one));
    logins.hear_out();
    THAT((returned == std::vector<std::string>{"s1"}));
    THAT(!usher.send(two).ok());   // usher knows that it has the connection still
}
END_TEST

// usher has gone, which the door finds out by what it sends.
TEST(a_door_that_asks_again_has_heard_what_came_back_before)
{
    UsherSocket socket;
    auto loop = util::EventLoop::create().take();
    ipc::LoginService logins(loop, ipc::Service::Imap, {"/nonexistent", socket.path});
    std::vector<std::string> returned;
    using Kind = ipc::LoginService::Opened::Kind;
    std::vector<Kind> answers;
    logins.on_returned([&](ipc::SessionReturned session) {
        returned.push_back(session.facts.session);
        THAT(logins.open({}, [](const ipc::LoginService::Opened&) {}) != 0);   // by another connection
    });
    auto ask = [&] {
        return logins.open({}, [&](const ipc::LoginService::Opened& opened) { answers.push_back(opened.kind); }) != 0;
    };
    THAT(ask());
    {
        ipc::Connection usher(util::UniqueFd(::accept4(socket.fd.get(), nullptr, nullptr, SOCK_CLOEXEC)));
        ipc::SessionReturned one;
        one.facts.session = "s1";
        OK(usher.send(one));
    }
    THAT(!ask());   // this client never left
    THAT(ask());
    THAT((returned == std::vector<std::string>{"s1"}));
    THAT((answers == std::vector{Kind::Refused, Kind::Lost}));
    ipc::Connection again(util::UniqueFd(::accept4(socket.fd.get(), nullptr, nullptr, SOCK_CLOEXEC)));
    for (int i = 0; i < 2; ++i)
        OK(again.receive_as<ipc::OpenSession>());
}
END_TEST

}  // namespace

SUITE(login_service, a_door_that_asks_again_has_heard_what_came_back_before,
      a_door_that_ends_hears_what_comes_back_and_takes_nothing_more)
