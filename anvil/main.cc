// anvil(8): counts connections, messages and log-ins of clients and accounts for those who limit them.
#include "anvil/config.h"
#include "anvil/service.h"
#include "libipc/identity.h"
#include "libipc/listener.h"
#include "libutil/log.h"

namespace anvil {

namespace {

// More smtpd processes than that have to wait, and serve without.
constexpr std::size_t max_peers = 10'000;

util::Result<Settings> settings_of(const server::Process& process, const Config& config)
{
    auto auth = TRY(server::identity_of(process.common(), "auth", process.unprivileged()));
    return Settings{.client_limit = std::size_t(*config.client_limit),
                    .rate_time_unit = *config.rate_time_unit,
                    .status_update_time = *config.status_update_time,
                    .failure_time = *config.failure_time,
                    .known_network_time = *config.known_network_time,
                    .auth_uid = auth.uid};
}

util::Result<int> daemon_main(server::Arguments arguments)
{
    Config config;
    auto process = TRY(server::Process::start("anvil", std::move(arguments), config));
    TRY(process.permit({"smtpd", "auth"}));
    Settings settings = TRY(settings_of(process, config));
    util::Sandbox sandbox;
    sandbox.read(process.config_directory()).limit_files(max_peers + 64);
    TRY(process.drop_privileges(std::move(sandbox)));

    auto loop = TRY(util::EventLoop::create());
    Service service(loop, settings);
    server::Listener* accepting = nullptr;
    server::Listener listener(process, loop, max_peers, [&](server::Client client) {
        service.accept(std::move(client.fd), client.peer.uid, [&] { accepting->client_gone(); });
    });
    accepting = &listener;
    TRY(process.attach(loop, server::Reload::reread,
                       {.stop =
                            [&] {
                                listener.close();
                                loop.stop();
                            },
                        .reconfigure =
                            [&] {
                                if (!process.read_config({&config}).ok())
                                    return;
                                if (auto changed = settings_of(process, config); changed.ok())
                                    service.change(changed.take());
                                else
                                    util::log::error(changed.error().text);
                            }}));
    loop.run();
    service.log_statistics();
    return 0;
}

}  // namespace

}  // namespace anvil

int main(int argc, char** argv)
{
    return server::run("anvil", argc, argv, anvil::daemon_main);
}
