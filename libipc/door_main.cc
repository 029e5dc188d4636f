// What the main() of a door does.
#include "libipc/door.h"

#include "libipc/identity.h"
#include "libutil/log.h"

namespace ipc {

util::Result<void> run_door(server::Process& process, Service service, const DoorSettings& settings,
                            Door::MakeDialog make_dialog)
{
    const auto& common = process.common();
    LoginService::Sockets sockets{server::private_socket(common, "auth"),
                                  server::private_socket(common, "usher")};
    auto pem = TRY(process.certificates());
    // A client over TLS takes two descriptors: its own and the session's.
    TRY(process.drop_privileges(
        util::Sandbox().connect().limit_files(settings.client_limit * 2 + 64)));

    auto loop = TRY(util::EventLoop::create());
    Door door(loop, service, settings, std::move(sockets), std::move(make_dialog));
    TRY(door.set_certificates(pem));
    server::Listener* accepting = nullptr;
    server::Listener listener(process, loop, settings.client_limit, [&](server::Client client) {
        door.accept(std::move(client.fd), client.address, [&] { accepting->client_gone(); });
    });
    accepting = &listener;
    auto new_certificates = [&](std::string text) {
        if (auto changed = door.set_certificates(text); !changed.ok())
            util::log::error("new certificates are not used: ", changed.error().text);
    };
    TRY(process.attach(loop, server::Reload::replace,
                       {.stop =
                            [&] {
                                listener.close();
                                door.stop([&] { loop.stop(); });
                            },
                        .certificates = new_certificates}));
    loop.run();
    return {};
}

}  // namespace ipc
