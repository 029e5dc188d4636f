// auth-pam(8): asks PAM for auth(8) whether somebody is a user of the system.
//
// It runs as root, since modules of PAM need that, and behind no fence, since nobody can say what they
// need besides.  It is small instead, started only where master.cf says so, hears auth only, links libpam,
// which no other program does, and asks it for each log-in in a process of its own.
#include "auth-pam/config.h"
#include "auth-pam/keeper.h"
#include "libipc/listener.h"
#include "libipc/server.h"
#include "libutil/log.h"
#include "libutil/orphans.h"

#include <csignal>

namespace auth_pam {

namespace {

constexpr std::size_t max_peers = 10;

Settings settings_of(const Config& config)
{
    return {.rules = {.service = *config.service,
                      .directory = *config.directory,
                      .minimum_uid = static_cast<uid_t>(*config.minimum_uid),
                      .session = *config.session},
            .timeout = *config.timeout,
            .process_limit = std::size_t(*config.process_limit)};
}

util::Result<int> daemon_main(server::Arguments arguments)
{
    Config config;
    auto process = TRY(server::Process::start("auth-pam", std::move(arguments), config));
    TRY(process.permit({"auth"}));
    if (config.service->find('/') != std::string::npos)
        return util::invalid("auth_pam_service: a name is wanted, not a path");
    if (process.unprivileged())
        util::log::warning("PAM is asked without root's rights: few of its modules can do with that");
    TRY(process.drop_privileges(util::Sandbox().allow_new_privileges()));

    TRY(util::adopt_orphans());

    auto loop = TRY(util::EventLoop::create());
    Keeper keeper(loop, settings_of(config));
    server::Listener* accepting = nullptr;
    server::Listener listener(process, loop, max_peers, [&](server::Client client) {
        keeper.accept(std::move(client.fd), [&] { accepting->client_gone(); });
    });
    accepting = &listener;
    util::SignalWatch children(loop, SIGCHLD, [&] { keeper.reap(); });
    TRY(process.attach(loop, server::Reload::reread,
                       {.stop =
                            [&] {
                                listener.close();
                                keeper.stop();
                                loop.stop();
                            },
                        .reconfigure =
                            [&] {
                                if (process.read_config({&config}).ok())
                                    keeper.change(settings_of(config));
                            }}));
    loop.run();
    return 0;
}

}  // namespace

}  // namespace auth_pam

int main(int argc, char** argv)
{
    return server::run("auth-pam", argc, argv, auth_pam::daemon_main);
}
