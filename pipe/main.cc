// pipe(8): gives messages to commands of master.cf, on standard input.
//
// It runs as root, because its children become the user= of master.cf, and locks itself in behind no fence: a
// command may be a set-gid program.  It is small instead: it hears qmgr only, and what was in a message is
// looked at in a child, which has that user's rights already.
#include "libipc/command_config.h"
#include "libipc/server.h"
#include "libutil/command.h"
#include "libutil/log.h"
#include "pipe/agent.h"
#include "pipe/checked_config.h"
#include "pipe/runner.h"

#include <ctime>
#include <sys/stat.h>

namespace piping {

namespace {

util::Result<int> daemon_main(server::Arguments arguments)
{
    Service service;
    service.name = arguments.service;
    CheckedConfig config(arguments.rest, service);
    ipc::CommandConfig commands;
    auto process = TRY(server::Process::start("pipe", std::move(arguments), {&config, &commands}));
    TRY(process.permit({"qmgr"}));
    if (!service.nobody.empty())
        return util::invalid(util::concat(service.name, ": ", service.nobody));
    const conf::Common& common = process.common();
    service.time_limit = *config.time_limit;
    service.environment = commands.environment();
    service.environment.push_back(util::concat("PATH=", util::command_path));
    service.queue_directory = *common.queue_directory;
    service.recipient_delimiter = *common.recipient_delimiter;
    auto filter =
        TRY(ipc::StatusFilter::open(*config.delivery_status_filter, std::string(config.delivery_status_filter.name())));
    ::tzset();   // for the From line of those who see another root directory
    TRY(process.drop_privileges(util::Sandbox().allow_new_privileges()));
    ::umask(077);

    // A command that is asked to end has half of what master leaves us.
    auto run = [&](const ipc::Job& job) {
        return run_command(service, job, &server::Process::stop_requested, *common.master_stop_time / 2);
    };
    while (auto client = TRY(process.next_client())) {
        if (client->is_wakeup())
            continue;
        ipc::Connection connection(std::move(client->fd));
        TRY(connection.set_timeout(*common.ipc_timeout));
        Agent agent(std::move(connection), service, run, [&] { process.renew_time(); }, &filter);
        auto ended = agent.serve(&server::Process::stop_requested);
        if (!ended.ok())
            util::log::warning("qmgr: ", ended.error().text);
    }
    return 0;
}

}  // namespace

}  // namespace piping

int main(int argc, char** argv)
{
    return server::run("pipe", argc, argv, piping::daemon_main);
}
