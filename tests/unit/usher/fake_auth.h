// A socket in the place of auth(8)'s.
#pragma once

#include "libipc/authentication.h"
#include "tests/unit/usher/fixture.h"

#include <cstring>
#include <sys/un.h>

namespace test {

struct FakeAuth {
    explicit FakeAuth(House& house)
        : path(util::concat("/tmp/tern-usher-auth-", ::getpid())),
          listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)), house_(house)
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        ::unlink(path.c_str());
        ck_assert(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        ck_assert(::listen(listener.get(), 5) == 0);
    }
    ~FakeAuth() { ::unlink(path.c_str()); }

    ipc::RedeemTicket wanted()
    {
        if (!connection.valid()) {
            house_.until([&] {
                connection = ipc::Connection(util::UniqueFd(::accept(listener.get(), nullptr, nullptr)));
                return connection.valid();
            });
        }
        auto packet = house_.receive(connection.fd());
        ck_assert(packet.has_value());
        auto redeem = ipc::decode<ipc::RedeemTicket>(*packet);
        OK(redeem);
        return redeem.take();
    }
    void answer(std::uint64_t request, bool good, std::string account, std::string app_password = {})
    {
        ipc::TicketRedeemed redeemed;
        redeemed.request = request;
        redeemed.good = good;
        redeemed.account = std::move(account);
        redeemed.app_password = std::move(app_password);
        OK(connection.send(redeemed));
    }

    std::string path;
    util::UniqueFd listener;
    ipc::Connection connection;
    House& house_;
};

inline usher::Settings with_auth()
{
    auto settings = House::own_settings();
    settings.auth_socket = util::concat("/tmp/tern-usher-auth-", ::getpid());
    return settings;
}

}  // namespace test
