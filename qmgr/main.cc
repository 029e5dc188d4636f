// qmgr(8): decides what is delivered when; the only owner of the queue's state.
#include "libipc/identity.h"
#include "libipc/listener.h"
#include "libipc/server.h"
#include "libmail/address.h"
#include "librouting/router.h"
#include "librouting/verify_config.h"
#include "libutil/log.h"
#include "qmgr/config.h"
#include "qmgr/control.h"
#include "qmgr/manager.h"
#include "qmgr/verify_link.h"

#include <sys/resource.h>

#include <cerrno>

namespace qmgr {
namespace {

constexpr std::size_t max_clients = 5000;

// A table that cannot be read makes mail wait, whatever it would have said.
routing::Route find_route(routing::Router& routes, const ipc::Recipient& recipient, const std::string& sender)
{
    auto address = mail::parse_address(recipient.address);
    if (!address)
        return {"error", util::concat("5.1.3 ", address.error().text)};
    auto route = routes.route(*address, mail::parse_address(sender).value_or({}));
    if (!route) {
        util::log::warning("no route for ", util::printable(recipient.address), ": ", route.error().text);
        return {"retry", util::concat("4.3.0 ", route.error().text)};
    }
    return route.take();
}

// Users of a list, by uid.  NotFound when there is no such user.
util::Result<void> add_users(const std::vector<std::string>& words, bool& everybody, std::vector<uid_t>& uids)
{
    for (const std::string& word : words) {
        if (word == "static:anyone" || word == "static:all")
            everybody = true;
        else
            uids.push_back(TRY(server::resolve_owner(word)).uid);
    }
    return {};
}

util::Result<Permissions> permissions_of(const server::Process& process, const Config& config)
{
    Permissions permissions;
    permissions.owner = TRY(server::identity_of(process.common(), "qmgr", process.unprivileged())).uid;
    if (!process.unprivileged())
        permissions.cleaner = TRY(server::identity_of(process.common(), "cleanup", false)).uid;
    if (!process.unprivileged())
        permissions.etrn = TRY(server::identity_of(process.common(), "smtpd", false)).uid;
    TRY(add_users(*config.authorized_mailq_users, permissions.everybody_lists, permissions.listers));
    if (!process.unprivileged())
        TRY(add_users(*config.authorized_flush_users, permissions.everybody_flushes, permissions.flushers));
    return permissions;
}

util::Result<int> daemon_main(server::Arguments arguments)
{
    Config config;
    routing::Config routing_config;
    routing::VerifyConfig verify_config;
    auto process = TRY(server::Process::start("qmgr", std::move(arguments), {&config, &routing_config, &verify_config}));
    const conf::Common& common = process.common();
    auto routes = TRY(routing::Router::open(common, routing_config));
    std::unique_ptr<routing::Router> probe_routes;   // where they are not those of mail
    if (routing::Ways ways = verify_config.ways(); ways != routing::Ways::of(routing_config))
        probe_routes = TRY(routing::Router::open(common, routing_config, std::move(ways)));
    auto permissions = TRY(permissions_of(process, config));
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) < 0)
        return util::system_error("getrlimit", errno);
    util::Sandbox sandbox;
    for (queue::Place place : queue::all_places)
        sandbox.write(queue::path_of(*common.queue_directory, place));
    TRY(process.drop_privileges(std::move(sandbox.read(process.config_directory()).connect())));
    auto directory = TRY(queue::Directory::open(*common.queue_directory));

    auto loop = TRY(util::EventLoop::create());
    Router router = [&](const ipc::Recipient& recipient, const std::string& sender) {
        return find_route(*routes, recipient, sender);
    };
    Manager manager(loop, config, directory, router,
                    [&](const std::string& transport) { return server::private_socket(common, transport); }, files.rlim_cur);
    manager.set_recipient_delimiter(*common.recipient_delimiter);
    VerifyLink verify(loop, server::private_socket(common, "verify"));
    manager.set_probes({.router = [&](const ipc::Recipient& recipient, const std::string& sender) {
                            return find_route(probe_routes ? *probe_routes : *routes, recipient, sender);
                        },
                        .report = [&](const ipc::ProbeResult& result) { verify.report(result); }});
    Control control(loop, manager, std::move(permissions));
    server::Listener* accepting = nullptr;
    server::Listener listener(process, loop, max_clients, [&](server::Client client) {
        control.add(std::move(client.fd), client.peer.uid, [&] { accepting->client_gone(); });
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
