// pickup(8): takes mail from the people of this machine, over its public socket from sendmail(1) and
// from the drop directory, and hands it to cleanup(8).
#include "libipc/connection.h"
#include "libipc/overrides.h"
#include "libipc/server.h"
#include "libutil/log.h"
#include "pickup/config.h"
#include "pickup/drop_directory.h"

namespace pickup {
namespace {

// One sendmail at the socket: greeting, records, verdict.
util::Result<void> serve(Intake& intake, const server::Client& client, ipc::Connection connection,
                         util::Duration timeout)
{
    TRY(connection.set_timeout(timeout));
    TRY(intake.start(client.peer.uid));
    ipc::Greeting greeting;
    greeting.next_queue_id = intake.queue_id();
    TRY(connection.send(greeting));
    while (!intake.complete()) {
        if (!server::Process::wait_for(connection.fd(), timeout))
            return util::temporary(server::Process::stop_requested() ? "given up: the mail system stops"
                                                                     : "given up: nothing came in time");
        auto packet = TRY(connection.receive());
        TRY(intake.record(packet));
    }
    ipc::Verdict verdict = TRY(intake.finish());
    verdict.next_queue_id.clear();  // one message for each connection
    return connection.send(verdict);
}

util::Result<int> daemon_main(server::Arguments arguments)
{
    Config config;
    auto process = TRY(server::Process::start("pickup", std::move(arguments), config));
    TRY(ipc::parse_overrides(*config.receive_override_options));
    TRY(ipc::check_content_filter(*config.content_filter));
    const conf::Common& common = process.common();
    std::string drop_path = *common.queue_directory + "/maildrop";
    auto drops = TRY(DropDirectory::open(drop_path, common.message_size_limit));
    TRY(process.drop_privileges(util::Sandbox().write(drop_path).connect()));

    ipc::Submitter submitter(server::private_socket(common, "cleanup"), common.ipc_timeout);
    Intake intake(common, config, submitter);
    for (;;) {
        auto client = TRY(process.next_client());
        if (!client)
            return 0;
        if (client->is_wakeup()) {
            drops.scan(intake);
            continue;
        }
        ipc::Connection connection(std::move(client->fd));
        auto served = serve(intake, *client, std::move(connection), config.timeout);
        intake.abandon();
        if (!served.ok())
            util::log::warning("submission of uid ", client->peer.uid, ": ", util::printable(served.error().text));
    }
}

}  // namespace
}  // namespace pickup

int main(int argc, char** argv)
{
    return server::run("pickup", argc, argv, pickup::daemon_main);
}
