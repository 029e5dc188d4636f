// smtpd(8): receives mail from the network and hands it to cleanup(8).
#include "libipc/queue_control.h"
#include "libipc/server.h"
#include "libipc/submitter.h"
#include "libnet/dns_config.h"
#include "libnet/dns_reply_filter.h"
#include "librouting/checked_config.h"
#include "libutil/log.h"
#include "smtpd/checked_config.h"
#include "smtpd/names.h"
#include "smtpd/peer.h"
#include "smtpd/quota_checker.h"
#include "smtpd/restrictions.h"
#include "smtpd/session.h"
#include "smtpd/site.h"

#include <ctime>

namespace {

// A socket's path below the queue directory.
std::string socket_path(const conf::Common& common, const std::string& name)
{
    return name.starts_with('/') ? name : util::concat(*common.queue_directory, '/', name);
}

// Ends early when a signal comes: then the process is told to stop.
void sleep_for(util::Duration duration)
{
    auto seconds = std::chrono::floor<std::chrono::seconds>(duration);
    timespec wanted{.tv_sec = seconds.count(),
                    .tv_nsec = std::chrono::nanoseconds(duration - seconds).count()};
    ::nanosleep(&wanted, nullptr);
}

util::Result<std::optional<net::TlsContext>> open_tls(const smtpd::Config& config, const std::string& chain)
{
    bool wrapper = *config.tls_wrappermode;
    if (!wrapper && *config.tls_security_level == smtpd::TlsLevel::None)
        return std::optional<net::TlsContext>();
    if (chain.empty()) {
        util::log::warning("there is no certificate: TLS is not offered");
        return std::optional<net::TlsContext>();
    }
    bool mandatory = wrapper || *config.tls_security_level == smtpd::TlsLevel::Encrypt;
    net::TlsSettings settings;
    settings.protocols = mandatory ? *config.tls_mandatory_protocols : *config.tls_protocols;
    settings.ciphers = *config.tls_cipherlist;
    settings.prefer_server_ciphers = *config.tls_prefer_server_ciphers;
    settings.ask_client_certificate = *config.tls_ask_ccert || *config.tls_req_ccert;
    if (!config.tls_ca_file->empty()) {
        constexpr std::size_t most = 1'000'000;
        settings.client_ca = TRY(util::sys::read_file(*config.tls_ca_file, most));
    }
    return std::optional<net::TlsContext>(TRY(net::TlsContext::server(chain, settings)));
}

// qmgr takes the order at once and works on it by itself.
util::Result<void> flush(const conf::Common& common, const std::string& domain)
{
    constexpr auto patience = std::chrono::seconds(10);
    auto manager = TRY(ipc::Connection::connect(util::concat(*common.queue_directory, "/public/qmgr"), patience));
    ipc::QueueFlush order;
    order.site = domain;
    order.wait = false;
    auto answer = TRY(manager.call<ipc::QueueEnd>(order));
    if (!answer.error.empty())
        return util::permanent(std::move(answer.error));
    return {};
}

util::Result<int> daemon_main(server::Arguments arguments)
{
    smtpd::RestrictionLists lists;
    smtpd::CheckedConfig config(lists);
    routing::CheckedConfig routing;
    net::dns::Config dns;
    conf::QuotaConfig quotas;
    auto process = TRY(server::Process::start("smtpd", std::move(arguments), {&config, &routing, &dns, &quotas}));
    const conf::Common& common = process.common();

    // Before the jail closes: what it will hide (certificates come from master as memfds).
    std::string chain = TRY(process.certificates());
    auto tls = TRY(open_tls(config, chain));
    auto site = TRY(smtpd::Site::open(common, routing));
    auto parents = routing.matches_subdomains("smtpd_access_maps") ? smtpd::Parents::Plain : smtpd::Parents::ByDot;
    auto flush_subdomains = routing.matches_subdomains("fast_flush_domains") ? conf::Domains::Subdomains::Always
                                                                            : conf::Domains::Subdomains::ByDot;
    auto backup_subdomains = routing.matches_subdomains("permit_mx_backup_networks") ? conf::Domains::Subdomains::Always
                                                                                     : conf::Domains::Subdomains::ByDot;
    auto dns_settings = dns.settings();
    dns_settings.wants_stop = server::Process::stop_requested;
    auto resolver = TRY(net::dns::Resolver::open(dns_settings));
    resolver.set_filter(TRY(net::dns::ReplyFilter::open(*config.dns_reply_filter, config.dns_reply_filter.name())));
    smtpd::DnsNames names(std::move(resolver));
    smtpd::VerifyClient verifier(server::private_socket(common, *config.verify_service));
    smtpd::QuotaChecker quota_checker(process.config_directory(), server::private_socket(common, "usher"), quotas);
    auto rules = TRY(smtpd::Restrictions::open(
        config, common, std::move(lists),
        {*site, names, sleep_for, parents, &verifier, &quota_checker, flush_subdomains, backup_subdomains}));
    util::Sandbox sandbox;
    sandbox.read(process.config_directory()).read("/etc/hosts").connect().network();
    for (std::string& directory : net::dns::jail_directories(dns_settings))
        sandbox.read(std::move(directory));
    TRY(process.drop_privileges(std::move(sandbox)));

    ipc::Submitter cleanup(socket_path(common, *config.cleanup_service_name), *common.ipc_timeout);
    smtpd::AuthClient auth([&] {
        return ipc::Connection::connect(socket_path(common, *config.sasl_path), *common.ipc_timeout);
    });

    // Before TLS begins there is no way to say anything.
    if (!*config.tls_wrappermode)
        process.set_farewell(
            util::concat("421 4.3.2 ", *common.myhostname, " Error: too many connections, try again later\r\n"));
    smtpd::AnvilClient counter([&](util::Duration timeout) {
        return ipc::Connection::connect(server::private_socket(common, "anvil"), timeout);
    });

    // One client at a time, so that a crash or a break-in costs one session.
    while (auto client = TRY(process.next_client())) {
        if (client->is_wakeup())
            continue;
        smtpd::Services services{common, config, *rules, cleanup, &auth, tls ? &*tls : nullptr, &counter,
                                 process.arguments().service, sleep_for, server::Process::stop_requested,
                                 [&](std::string_view text) { process.note(text); },
                                 [&](const std::string& domain) { return flush(common, domain); }};
        auto peer = smtpd::client_of(*client, config);
        if (!peer.ok()) {
            util::log::warning(peer.error().text);
            continue;
        }
        if (*config.peername_lookup)
            smtpd::find_name(*peer, names);
        smtpd::Session(std::move(services), net::Stream(std::move(client->fd)), peer.take()).run();
    }
    return 0;  // served max_use clients, idle for max_idle, or told to stop
}

}  // namespace

int main(int argc, char** argv)
{
    return server::run("smtpd", argc, argv, daemon_main);
}
