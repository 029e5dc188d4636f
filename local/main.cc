// local(8): delivers to the mailboxes of this machine's users.
//
// One process, many deliveries in flight: jobs come from qmgr(8), usher(8) makes the connections to
// users' mailbox(8) processes, and those answer twice.
#include "libconf/accounts_file.h"
#include "libipc/delivery_config.h"
#include "libipc/identity.h"
#include "libipc/listener.h"
#include "libipc/server.h"
#include "libipc/status_filter.h"
#include "libmail/address.h"
#include "librouting/keys.h"
#include "librouting/router.h"
#include "local/agent.h"
#include "local/config.h"

namespace local {

namespace {

constexpr std::size_t max_managers = 16;   // connections of qmgr

AgentSettings agent_settings(const server::Process& process, const Config& config, const ipc::DeliveryConfig& deliveries)
{
    AgentSettings settings;
    settings.usher_socket = server::private_socket(process.common(), "usher");
    settings.job_limit = static_cast<std::uint32_t>(*config.job_limit);
    settings.connection_limit = *config.connection_limit;
    settings.timeout = *config.delivery_timeout;
    settings.over_quota_defer = *config.over_quota_defer;
    settings.add_original = *config.enable_original_recipient;
    settings.errands_socket = server::private_socket(process.common(), "errands");
    settings.errand_timeout = *config.errand_timeout;
    settings.delivered_to_forward = deliveries.prepends("forward");
    settings.forward.cleanup_socket = server::private_socket(process.common(), "cleanup");
    settings.forward.connection_limit = *config.forward_connection_limit;
    settings.forward.hostname = *process.common().myhostname;
    settings.forward.mail_name = *process.common().mail_name;
    settings.rules.owner_request_special = *config.owner_request_special;
    settings.rules.expand_owner_alias = *config.expand_owner_alias;
    settings.rules.reset_owner_alias = *config.reset_owner_alias;
    settings.rules.frozen_delivered_to = *config.frozen_delivered_to;
    settings.rules.limit = *config.expansion_limit;
    return settings;
}

util::Result<std::string> find_account(conf::AccountsReader& accounts, routing::Router& router,
                                       std::string_view delimiters, std::string_view address)
{
    auto recipient = mail::parse_address(address);
    if (!recipient.ok())
        return util::not_found(recipient.error().text);
    // The same keys that smtpd(8) asks for: the longest that has an account.
    bool local = TRY(router.class_of(recipient->domain)) == routing::AddressClass::Local;
    routing::AddressKeys keys = routing::alias_keys(*recipient, delimiters, local);
    util::Error refusal = util::not_found("no such account");
    for (int attempt = 0; attempt < 2; ++attempt) {
        for (const conf::Key& key : keys.keys) {
            if (key.text.starts_with('@'))
                continue;
            auto account = TRY(accounts.find(key.text));
            if (account && !account->has_flag(conf::no_mail_flag))
                return std::move(account->address);
            if (!account)
                continue;
            refusal = util::permanent("mailbox disabled");
            break;
        }
        // Mail for an account that was made or enabled a moment ago must not bounce.
        accounts.refresh();
    }
    return refusal;
}

// Is it an address of $virtual_mailbox_domains, and not of $mydestination?
bool in_virtual_mailboxes(routing::Router& router, std::string_view address)
{
    auto parsed = mail::parse_address(address);
    auto found = parsed ? router.class_of(parsed->domain) : util::Result<routing::AddressClass>(parsed.error());
    return found.ok() && *found == routing::AddressClass::VirtualMailbox;
}

util::Result<int> daemon_main(server::Arguments arguments)
{
    Config config;
    routing::Config routes;
    ipc::DeliveryConfig deliveries;
    auto process = TRY(server::Process::start("local", std::move(arguments), {&config, &routes, &deliveries}));
    TRY(process.permit({"qmgr"}));
    auto router = TRY(routing::Router::open(process.common(), routes, routing::Aliases::Direct));
    conf::AccountsReader accounts(util::concat(process.config_directory(), "/accounts"));
    util::Sandbox sandbox;
    sandbox.read(process.config_directory()).connect();
    for (std::string& directory : routing::alias_directories(routes))
        sandbox.read(std::move(directory));
    TRY(process.drop_privileges(std::move(sandbox)));

    auto loop = TRY(util::EventLoop::create());
    AgentSettings settings = agent_settings(process, config, deliveries);
    auto mailbox_transports = TRY(conf::Tables::open(*config.mailbox_transport_maps));
    auto fallback_transports = TRY(conf::Tables::open(*config.fallback_transport_maps));
    settings.rules.mailbox_transports = &mailbox_transports;
    settings.rules.mailbox_transport = *config.mailbox_transport;
    settings.rules.fallback_transports = &fallback_transports;
    settings.rules.fallback_transport = *config.fallback_transport;
    settings.rules.luser_relay = *config.luser_relay;
    settings.rules.virtual_mailboxes = !deliveries.virtual_uid_maps->empty();
    settings.rules.router = router.get();
    auto filter =
        TRY(ipc::StatusFilter::open(*config.delivery_status_filter, std::string(config.delivery_status_filter.name())));
    auto virtual_filter =
        TRY(ipc::StatusFilter::open(*config.virtual_status_filter, std::string(config.virtual_status_filter.name())));
    if (filter.active() || virtual_filter.active())
        settings.filter = [&](const std::string& address, ipc::DeliveryStatus& status) {
            (in_virtual_mailboxes(*router, address) ? virtual_filter : filter).apply(status);
        };
    settings.rules.find_account = [&](std::string_view address) {
        return find_account(accounts, *router, *process.common().recipient_delimiter, address);
    };
    Agent agent(loop, std::move(settings));
    server::Listener* accepting = nullptr;
    server::Listener listener(process, loop, max_managers, [&](server::Client client) {
        agent.accept(std::move(client.fd), [&] { accepting->client_gone(); });
    });
    accepting = &listener;
    TRY(process.attach(loop, server::Reload::replace, {.stop = [&] {
                           listener.close();
                           agent.stop([&] { loop.stop(); });
                       }}));
    loop.run();
    return 0;
}

}  // namespace

}  // namespace local

int main(int argc, char** argv)
{
    return server::run("local", argc, argv, local::daemon_main);
}
