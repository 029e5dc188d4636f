// bounce(8): writes delivery status notifications from a queue file that it is handed, and gives
// them to cleanup(8).
#include "bounce/checked_config.h"
#include "bounce/session.h"
#include "libipc/identity.h"
#include "libipc/server.h"
#include "libutil/log.h"

namespace bounce {

namespace {

util::Result<int> daemon_main(server::Arguments arguments)
{
    CheckedConfig::Words words;
    CheckedConfig config(words);
    auto process = TRY(server::Process::start("bounce", std::move(arguments), config));
    TRY(process.permit({"qmgr"}));
    const conf::Common& common = process.common();
    for (const conf::Problem& problem : words.problems.all())
        util::log::warning("bounce_template_file: ", problem.to_text(), "; the built-in words are used");
    Site site{.config = config, .myhostname = *common.myhostname, .myorigin = *common.myorigin,
              .mail_name = *common.mail_name, .templates = std::move(words.templates)};
    ipc::Submitter submitter(server::private_socket(common, "cleanup"), *common.ipc_timeout);
    util::Sandbox sandbox;
    sandbox.connect();
    TRY(process.drop_privileges(std::move(sandbox)));

    while (auto client = TRY(process.next_client())) {
        if (client->is_wakeup())
            continue;
        ipc::Connection connection(std::move(client->fd));
        TRY(connection.set_timeout(*common.ipc_timeout));
        auto ended = Session(std::move(connection), submitter, site, [&] {
                         process.renew_time();
                     }).run(&server::Process::stop_requested);
        if (!ended.ok())
            util::log::warning("qmgr: ", ended.error().text);
    }
    return 0;
}

}  // namespace

}  // namespace bounce

int main(int argc, char** argv)
{
    return server::run("bounce", argc, argv, bounce::daemon_main);
}
