// tables(8): looks into tables for programs whose sandbox does not let them.
//
// A worker: each process has one client at a time, since a question to NSS may take long.
#include "libipc/connection.h"
#include "libipc/server.h"
#include "librouting/router.h"
#include "libutil/log.h"
#include "tables/answers.h"
#include "tables/config.h"

#include <cerrno>
#include <pwd.h>

namespace tables {

namespace {

// NSS loads its modules at the first question; in the sandbox it could not.
void wake_nss()
{
    (void)::getpwnam("tern-no-such-user");
}

util::Sandbox sandbox(const server::Process& process, const Answers& answers)
{
    util::Sandbox sandbox;
    // NSS reads its files there, and asks its services.
    sandbox.read(process.config_directory()).read("/etc").read("/run").connect();
    for (std::string& directory : answers.directories())
        sandbox.read(std::move(directory));
    return sandbox;
}

util::Result<void> serve(server::Client client, Answers& answers, util::Duration idle_time)
{
    ipc::Connection connection(std::move(client.fd));
    TRY(connection.set_timeout(std::chrono::seconds(10)));
    for (;;) {
        if (!server::Process::wait_for(connection.fd(), idle_time))
            return {};
        auto packet = TRY(ipc::receive_packet(connection.fd()));
        if (!packet)
            return {};
        auto question = TRY(ipc::decode<ipc::LookUp>(*packet));
        TRY(connection.send(answers.answer(question)));
    }
}

util::Result<int> daemon_main(server::Arguments arguments)
{
    Config config;
    routing::Config routing;
    auto process = TRY(server::Process::start("tables", std::move(arguments), {&config, &routing}));
    TRY(process.permit({"smtpd", "cleanup", "qmgr", "local", "smtp"}));
    // What librouting asks for by itself: tables of local recipients outside the configuration directory.
    std::vector<std::string> names = *config.proxy_read_maps;
    for (const conf::TableNames* tables : {&routing.alias_maps, &routing.local_recipient_maps})
        for (std::string& name : routing::visible_tables(**tables, process.config_directory()))
            names.push_back(std::move(name));
    auto answers = Answers::open(names);
    if (!answers.ok())
        return answers.take_error().in("proxy_read_maps");
    wake_nss();
    TRY(process.drop_privileges(sandbox(process, *answers)));
    while (auto client = TRY(process.next_client())) {
        if (client->is_wakeup())
            continue;
        uid_t uid = client->peer.uid;
        auto served = serve(std::move(*client), *answers, *config.idle_time);
        if (!served.ok())
            util::log::warning("a client of uid ", uid, ": ", served.error().text);
    }
    return 0;
}

}  // namespace

}  // namespace tables

int main(int argc, char** argv)
{
    return server::run("tables", argc, argv, tables::daemon_main);
}
