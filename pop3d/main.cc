// pop3d(8): the door of POP3: TLS and log-in; the session itself is the user's mailbox process.
#include "pop3d/config.h"
#include "pop3d/login.h"
#include "libipc/door.h"
#include "libipc/identity.h"

namespace {

ipc::DoorSettings door_settings(const pop3d::Config& config, const conf::Common& common)
{
    ipc::DoorSettings settings;
    settings.wrappermode = *config.tls_wrappermode;
    settings.allow_plaintext_login = *common.allow_plaintext_login;
    settings.client_limit = *config.client_limit;
    settings.login_limit_per_client = *config.login_limit_per_client;
    settings.attempts = *config.attempts;
    settings.login_timeout = *config.login_timeout;
    settings.tls_protocols = *config.tls_protocols;
    settings.tls_ciphers = *config.tls_ciphers;
    return settings;
}

util::Result<int> daemon_main(server::Arguments arguments)
{
    pop3d::Config config;
    auto process = TRY(server::Process::start("pop3d", std::move(arguments), config));
    TRY(ipc::run_door(process, ipc::Service::Pop3, door_settings(config, process.common()),
                      [hostname = *process.common().myhostname] {
                          return std::make_unique<pop3d::Login>(hostname);
                      }));
    return 0;
}

}  // namespace

int main(int argc, char** argv)
{
    return server::run("pop3d", argc, argv, daemon_main);
}
