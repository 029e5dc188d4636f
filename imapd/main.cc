// imapd(8): the door of IMAP: TLS and log-in; the session itself is the user's mailbox process.
#include "imapd/config.h"
#include "imapd/login.h"
#include "libipc/door.h"
#include "libipc/identity.h"

namespace {

ipc::DoorSettings door_settings(const imapd::Config& config, const conf::Common& common)
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
    imapd::Config config;
    auto process = TRY(server::Process::start("imapd", std::move(arguments), config));
    TRY(ipc::run_door(process, ipc::Service::Imap, door_settings(config, process.common()),
                      [hostname = *process.common().myhostname] {
                          return std::make_unique<imapd::Login>(hostname);
                      }));
    return 0;
}

}  // namespace

int main(int argc, char** argv)
{
    return server::run("imapd", argc, argv, daemon_main);
}
