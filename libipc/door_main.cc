// What the main() of a door does.
#include "libipc/door.h"

#include "libipc/identity.h"
#include "libutil/log.h"

namespace ipc {

namespace {

DoorSettings settings_of(const DoorConfig& config, const conf::Common& common)
{
    DoorSettings settings;
    settings.wrappermode = *config.tls_wrappermode;
    settings.allow_plaintext_login = *common.allow_plaintext_login;
    settings.client_limit = *config.client_limit;
    settings.login_limit_per_client = *config.login_limit_per_client;
    settings.ipv6_prefix = int(*config.client_ipv6_prefix_length);
    settings.attempts = *config.attempts;
    settings.login_timeout = *config.login_timeout;
    settings.upstream_proxy = *config.upstream_proxy_protocol;
    settings.upstream_proxy_timeout = *config.upstream_proxy_timeout;
    settings.tls_protocols = *config.tls_protocols;
    settings.tls_ciphers = *config.tls_ciphers;
    return settings;
}

}  // namespace

util::Result<void> run_door(server::Process& process, Service service, const DoorConfig& config,
                            Door::MakeDialog make_dialog)
{
    const auto& common = process.common();
    DoorSettings settings = settings_of(config, common);
    LoginService::Sockets sockets{server::private_socket(common, "auth"),
                                  server::private_socket(common, "usher")};
    auto pem = TRY(process.certificates());
    // A client over TLS takes two descriptors: its own and the session's.
    TRY(process.drop_privileges(
        util::Sandbox().connect().limit_files(settings.client_limit * 2 + 64)));

    auto loop = TRY(util::EventLoop::create());
    Door door(loop, service, settings, std::move(sockets), std::move(make_dialog));
    TRY(door.set_certificates(pem));
    if (!settings.wrappermode)
        process.set_farewell(door.farewell("The server has too many connections"));
    server::Listener* accepting = nullptr;
    server::Listener listener(process, loop, settings.client_limit, [&](server::Client client) {
        door.accept(std::move(client.fd), client.address, [&] { accepting->client_gone(); });
    });
    accepting = &listener;
    door.set_returning([&] { return listener.client_back(); }, [&] { listener.client_gone(); });
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
