// imapd(8): the door of IMAP: TLS and log-in; the session itself is the user's mailbox process.
#include "imapd/config.h"
#include "imapd/login.h"
#include "libipc/door.h"

namespace {

util::Result<int> daemon_main(server::Arguments arguments)
{
    imapd::Config config;
    auto process = TRY(server::Process::start("imapd", std::move(arguments), config));
    TRY(ipc::run_door(process, ipc::Service::Imap, config, [hostname = *process.common().myhostname] {
        return std::make_unique<imapd::Login>(hostname);
    }));
    return 0;
}

}  // namespace

int main(int argc, char** argv)
{
    return server::run("imapd", argc, argv, daemon_main);
}
