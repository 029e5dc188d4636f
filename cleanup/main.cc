// cleanup(8): takes messages from smtpd, pickup, bounce and mailboxes, completes and checks them, and
// sees that each is delivered or kept before anybody hears 250.
#include "cleanup/config.h"
#include "cleanup/session.h"
#include "libipc/identity.h"
#include "libipc/server.h"
#include "libmail/address.h"
#include "libqueue/directory.h"
#include "librouting/checked_config.h"
#include "librouting/router.h"
#include "libutil/log.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace cleanup {
namespace {

using namespace std::chrono_literals;

// qmgr rules at once or when a race is over (commit_race_time, at most a minute).
constexpr util::Duration ruling_timeout = 120s;

util::Result<Expansion> expand(routing::Router& routes, const std::string& text, bool bounce)
{
    mail::Address address = routes.complete(TRY(mail::parse_address(text)));
    auto expanded = TRY(routes.expand(address, bounce));
    Expansion result;
    result.expanded = expanded.size() != 1 || expanded.front() != address;
    for (const mail::Address& one : expanded)
        result.addresses.push_back(mail::to_text(one));
    return result;
}

util::Result<int> daemon_main(server::Arguments arguments)
{
    Config config;
    routing::CheckedConfig routing_config;
    auto process = TRY(server::Process::start("cleanup", std::move(arguments), {&config, &routing_config}));
    TRY(process.permit({"smtpd", "pickup", "bounce", "usher", "qmgr", "local", "verify"}));
    const conf::Common& common = process.common();
    auto routes = TRY(routing::Router::open(common, routing_config));
    TRY(routes->open_srs());
    auto addresses = TRY(AddressRules::open(config, *routes));
    auto checks = TRY(ContentChecks::open(config));
    std::string incoming = queue::path_of(*common.queue_directory, queue::Place::Incoming);
    auto directory = TRY(util::sys::open(incoming, O_RDONLY | O_DIRECTORY));
    HeaderRules rules;
    rules.field_limit = *config.header_size_limit;
    for (const std::string& name : *config.message_drop_headers)
        rules.drop.push_back(util::lower(name));
    TRY(process.drop_privileges(util::Sandbox().add(incoming).read(process.config_directory()).connect()));
    ::umask(0007);  // qmgr writes to files by their group

    Expander expander = [&](const std::string& address, bool bounce) { return expand(*routes, address, bounce); };
    queue::WriterOptions options;
    options.directory = incoming;
    options.memory_limit = *config.memory_limit;
    options.sync_directory = *config.sync_directory;
    options.directory_fd = directory.get();
    Transaction transaction(config, common, rules, expander, options, {&addresses, checks.any() ? &checks : nullptr});
    ManagerLink manager(server::public_socket(common, "qmgr"), ruling_timeout);
    queue::IdSource ids;
    for (;;) {
        auto client = TRY(process.next_client());
        if (!client)
            return 0;
        if (client->is_wakeup())
            continue;
        ipc::Connection connection(std::move(client->fd));
        TRY(connection.set_timeout(*common.ipc_timeout));
        if (auto ended = Session(std::move(connection), transaction, manager, ids).run([&] { process.renew_time(); }); !ended)
            util::log::warning("a client of uid ", client->peer.uid, ": ", ended.error().text);
        transaction.forget();
    }
}

}  // namespace
}  // namespace cleanup

int main(int argc, char** argv)
{
    return server::run("cleanup", argc, argv, cleanup::daemon_main);
}
