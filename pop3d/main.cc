// pop3d(8): the door of POP3: TLS and log-in; the session itself is the user's mailbox process.
#include "pop3d/config.h"
#include "pop3d/login.h"
#include "libipc/door.h"
#include "libipc/maildrop_config.h"

namespace {

util::Result<int> daemon_main(server::Arguments arguments)
{
    pop3d::Config config;
    ipc::MaildropConfig maildrop;
    auto process = TRY(server::Process::start("pop3d", std::move(arguments), {&config, &maildrop}));
    pop3d::MaildropFacts facts;
    facts.login_delay = std::chrono::ceil<std::chrono::seconds>(*maildrop.login_delay).count();
    facts.expire = maildrop.inbox_days();
    TRY(ipc::run_door(process, ipc::Service::Pop3, config, [hostname = *process.common().myhostname, facts] {
        return std::make_unique<pop3d::Login>(hostname, facts);
    }));
    return 0;
}

}  // namespace

int main(int argc, char** argv)
{
    return server::run("pop3d", argc, argv, daemon_main);
}
