// qmgr(8): decides what is delivered when; the only owner of the queue's state.
#include "libipc/identity.h"
#include "libipc/listener.h"
#include "libipc/server.h"
#include "libmail/address.h"
#include "qmgr/config.h"
#include "qmgr/manager.h"

namespace qmgr {
namespace {

constexpr std::size_t max_clients = 5000;

util::Result<int> daemon_main(server::Arguments arguments)
{
    Config config;
    auto process = TRY(server::Process::start("qmgr", std::move(arguments), config));
    const conf::Common& common = process.common();
    auto cleanup_identity = TRY(server::identity_of(common, "cleanup", process.unprivileged()));
    util::Sandbox sandbox;
    for (queue::Place place : queue::all_places)
        sandbox.write(queue::path_of(*common.queue_directory, place));
    TRY(process.drop_privileges(std::move(sandbox.read(process.config_directory()).connect())));
    auto directory = TRY(queue::Directory::open(*common.queue_directory));

    auto loop = TRY(util::EventLoop::create());
    Router router = [](const ipc::Recipient& recipient, const std::string&) -> Route {
        auto at = recipient.address.rfind('@');
        return {"local", at == std::string::npos ? std::string() : recipient.address.substr(at + 1)};
    };
    Manager manager(loop, config, directory, router,
                    [&](const std::string& transport) { return server::private_socket(common, transport); });
    server::Listener* accepting = nullptr;
    server::Listener listener(process, loop, max_clients, [&](server::Client client) {
        if (client.peer.uid == cleanup_identity.uid)
            manager.add_cleaner(std::move(client.fd), [&] { accepting->client_gone(); });
        else
            accepting->client_gone();
    });
    accepting = &listener;
    TRY(process.attach(loop, server::Reload::exclusive, {.stop = [&] {
                           listener.close();
                           manager.stop([&] { loop.stop(); });
                       }}));
    manager.start();
    loop.run();
    return 0;
}

}  // namespace
}  // namespace qmgr

int main(int argc, char** argv)
{
    return server::run("qmgr", argc, argv, qmgr::daemon_main);
}
