// auth(8): checks who may log in, and makes the tickets that open sessions.
#include "auth/config.h"
#include "auth/service.h"
#include "libipc/listener.h"
#include "libnet/crypto.h"
#include "libutil/log.h"

#include <csignal>

namespace auth {

namespace {

constexpr std::size_t max_peers = 10'000;

util::Result<Settings> settings_of(const server::Process& process, const Config& config)
{
    auto usher = TRY(server::identity_of(process.common(), "usher", process.unprivileged()));
    for (const std::string& name : *config.mechanisms)
        if (!mail::find_mechanism(name))
            return util::invalid(util::concat("auth_mechanisms: unknown mechanism ", util::printable(name, 40)));
    auto exceptions = conf::Networks::parse(*config.failure_exceptions);
    if (!exceptions.ok())
        return exceptions.take_error().in(config.failure_exceptions.name());
    return Settings{.mechanisms = *config.mechanisms,
                    .allow_plaintext_login = *process.common().allow_plaintext_login,
                    .cache_size = std::size_t(*config.cache_size),
                    .cache_ttl = *config.cache_ttl,
                    .failure_delay = *config.failure_delay,
                    .failure_delay_limit = *config.failure_delay_limit,
                    .network_failure_limit = *config.network_failure_limit,
                    .account_failure_limit = *config.account_failure_limit,
                    .failure_exceptions = std::make_shared<conf::Networks>(exceptions.take()),
                    .ipv4_prefix = int(*config.client_ipv4_prefix_length),
                    .ipv6_prefix = int(*config.client_ipv6_prefix_length),
                    .anvil_socket = server::private_socket(process.common(), "anvil"),
                    .pam_socket = server::private_socket(process.common(), "auth-pam"),
                    .ticket_lifetime = *config.ticket_lifetime,
                    .usher_uid = usher.uid,
                    .data_directory = *process.common().data_directory};
}

util::Result<int> daemon_main(server::Arguments arguments)
{
    Config config;
    auto process = TRY(server::Process::start("auth", std::move(arguments), config));
    TRY(process.permit({"smtpd", "imapd", "pop3d", "usher"}));
    Settings settings = TRY(settings_of(process, config));
    // OpenSSL makes itself ready when it is first used, which takes milliseconds: not at a log-in.
    (void)net::hmac_sha256("", "");
    util::Sandbox sandbox;
    sandbox.read(process.config_directory())
        .write(conf::auth_directory(*process.common().data_directory))
        .connect()
        .processes();
    TRY(process.drop_privileges(std::move(sandbox)));

    auto loop = TRY(util::EventLoop::create());
    Accounts accounts(process.config_directory(), *process.common().myorigin,
                      lasting_secret(conf::auth_directory(*process.common().data_directory) + "/secret"));
    Workers workers(loop, std::size_t(*config.workers), std::size_t(*config.queue_limit));
    Service service(loop, accounts, workers, std::move(settings));
    server::Listener* accepting = nullptr;
    server::Listener listener(process, loop, max_peers, [&](server::Client client) {
        service.accept(std::move(client.fd), client.peer.uid, [&] { accepting->client_gone(); });
    });
    accepting = &listener;
    util::SignalWatch children(loop, SIGCHLD, [&] { workers.reap(); });
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
    return 0;
}

}  // namespace

}  // namespace auth

int main(int argc, char** argv)
{
    return server::run("auth", argc, argv, auth::daemon_main);
}
