// verify(8): finds out, and remembers, whether mail for an address arrives.
#include "libipc/identity.h"
#include "libipc/listener.h"
#include "verify/config.h"
#include "verify/service.h"

namespace verify {

namespace {

// More smtpd processes than that have to wait.
constexpr std::size_t max_clients = 10'000;

util::Result<Settings> settings_of(const server::Process& process, const Config& config)
{
    const conf::Common& common = process.common();
    Settings settings;
    settings.times = config.times();
    settings.pending_limit = std::size_t(*config.pending_request_limit);
    settings.cleanup_interval = *config.cleanup_interval;
    settings.asker = TRY(server::identity_of(common, "smtpd", process.unprivileged())).uid;
    settings.teller = TRY(server::identity_of(common, "qmgr", process.unprivileged())).uid;
    settings.probes = {.cleanup_socket = server::private_socket(common, "cleanup"),
                       .sender = routing::ProbeSender::of(*config.sender, *common.myorigin, *config.sender_ttl),
                       .hostname = *common.myhostname,
                       .timeout = *common.ipc_timeout};
    return settings;
}

util::Result<int> daemon_main(server::Arguments arguments)
{
    Config config;
    auto process = TRY(server::Process::start("verify", std::move(arguments), config));
    auto file = TRY(CacheFile::parse(*config.map));
    TRY(process.permit({"smtpd", "qmgr"}));
    auto settings = TRY(settings_of(process, config));
    util::Sandbox sandbox;
    sandbox.read(process.config_directory()).connect().limit_files(max_clients + 64);
    if (file.exists())
        sandbox.write(file.directory());
    TRY(process.drop_privileges(std::move(sandbox)));

    auto loop = TRY(util::EventLoop::create());
    Service service(loop, std::move(settings), std::move(file));
    server::Listener* accepting = nullptr;
    server::Listener listener(process, loop, max_clients, [&](server::Client client) {
        service.accept(std::move(client.fd), client.peer.uid, [&] { accepting->client_gone(); });
    });
    accepting = &listener;
    TRY(process.attach(loop, server::Reload::exclusive, {.stop = [&] {
                           listener.close();
                           loop.stop();
                       }}));
    loop.run();
    service.store();
    return 0;
}

}  // namespace

}  // namespace verify

int main(int argc, char** argv)
{
    return server::run("verify", argc, argv, verify::daemon_main);
}
