// smtp(8), and lmtp(8): delivers messages to other servers, one at a time.
#include "libconf/table.h"
#include "libipc/identity.h"
#include "libipc/server.h"
#include "libnet/connect.h"
#include "libnet/dns_config.h"
#include "libnet/dns_reply_filter.h"
#include "librouting/checked_config.h"
#include "librouting/router.h"
#include "libtrust/dns_answers.h"
#include "libtrust/sts_client.h"
#include "libtrust/tls_files.h"
#include "libutil/log.h"
#include "libutil/random.h"
#include "smtp/agent.h"
#include "smtp/checked_config.h"
#include "smtp/site/connect_from.h"
#include "smtp/site/site_lookup.h"

#include <algorithm>

namespace smtp {

namespace {

// A connect that is to be left to the system ends by its own rules, long before.
constexpr util::Duration longest_connect = 24h;

// Paths are relative to the queue directory.
util::Result<net::Stream> connect(const Host& host, const Config& config, const std::string& queue_directory)
{
    net::ConnectOptions options;
    options.timeout = *config.connect_timeout == util::Duration::zero() ? longest_connect : *config.connect_timeout;
    options.wants_stop = server::Process::stop_requested;
    std::string path = host.address.starts_with('/') ? host.address : util::concat(queue_directory, '/', host.address);
    auto fd = TRY(host.is_path ? net::connect_to_path(path, options) : connect_from(host, config, options));
    return net::Stream(std::move(fd));
}

// Of a server's address: what its table says, or the list for all.
std::vector<std::string> discarded(const Config& config, conf::Tables& tables, const Host& host)
{
    auto found = tables.lookup(host.address);
    if (!found.ok())
        util::log::warning(config.discard_ehlo_keyword_address_maps.name(), ": ", found.error().text);
    if (!found.ok() || !*found)
        return *config.discard_ehlo_keywords;
    std::vector<std::string> words;
    for (std::string_view word : util::split_words(**found))
        words.emplace_back(word);
    return words;
}

// How long sts(8) may take: a fetch of a policy, and the DNS before it.
constexpr util::Duration sts_timeout = 100s;

util::Result<std::unique_ptr<Tls>> open_tls(const trust::TlsConfig& config, net::dns::Resolver& resolver, trust::StsClient& sts)
{
    auto files = TRY(trust::read_tls_files(config));
    trust::TlsLookups lookups;
    lookups.tlsa = [&resolver](const std::string& host, std::uint16_t port) {
        return trust::tlsa_answer(resolver.tlsa(host, port));
    };
    lookups.sts = [&sts](const std::string& domain) { return sts.ask(domain); };
    lookups.anchors = trust::read_trust_anchors;
    auto tls = TRY(Tls::open(config, std::move(files), std::move(lookups)));
    tls->send_results_to([&sts](std::vector<ipc::TlsResult> results) { sts.give(std::move(results)); });
    return tls;
}

struct Configs {
    const Config& smtp;
    const trust::TlsConfig& tls;
    const net::dns::Config& dns;
    const routing::Config& routes;
};

util::Result<int> serve(server::Process& process, const Configs& configs)
{
    const Config& config = configs.smtp;
    const conf::Common& common = process.common();
    net::dns::Settings dns = configs.dns.settings();
    auto resolver = TRY(net::dns::Resolver::open(dns));
    resolver.set_filter(TRY(net::dns::ReplyFilter::open(*config.dns_reply_filter, config.dns_reply_filter.name())));
    trust::StsClient sts(server::private_socket(common, "sts"), sts_timeout);
    auto tls = TRY(open_tls(configs.tls, resolver, sts));
    SiteLookup lookup(config, families_of(common), resolver);
    auto discard_tables = TRY(conf::Tables::open(*config.discard_ehlo_keyword_address_maps));
    auto port = TRY(parse_port(*config.tcp_port));
    auto credentials = TRY(Credentials::open(config, *common.recipient_delimiter));
    auto router = TRY(routing::Router::open(common, configs.routes));
    TRY(router->open_srs());
    auto generic = TRY(Generic::open(config, *router));
    auto checks = TRY(HeaderChecks::open(config));
    auto status_filter =
        TRY(ipc::StatusFilter::open(*config.delivery_status_filter, std::string(config.delivery_status_filter.name())));
    auto reply_tables = TRY(conf::Tables::open(*config.reply_filter));
    Dialog::Filter reply_filter;
    if (!reply_tables.empty())
        reply_filter = [&reply_tables](std::string_view line) { return reply_tables.lookup(line); };
    auto require_tls = TRY(RequireTls::open(config));
    Services services{
        .config = config,
        .session = {.config = config,
                    .myhostname = *common.myhostname,
                    .loop_port = port,
                    .discard = [&](const Host& host) { return discarded(config, discard_tables, host); },
                    .stopping = server::Process::stop_requested,
                    // Before qmgr(8) has no time left to write down what came of it.
                    .stop_patience = *common.master_stop_time / 2,
                    .reply_filter = reply_filter,
                    .credentials = credentials.get(),
                    .tls = tls.get()},
        .hosts = {.config = config,
                  .own = router->reached_at(),
                  .loop_port = port,
                  .path_name = *common.myhostname,
                  .random = util::random_u64},
        .lookup = lookup,
        .connect = [&](const Host& host) { return connect(host, config, *common.queue_directory); },
        .router = router.get(),
        .job_time = *common.daemon_timeout / 10 * 9,
        .generic = &generic,
        .checks = &checks,
        .max_converted = std::min(max_converted_size, process.data_limit() / conversion_factor),
        .status_filter = &status_filter,
        .require_tls = &require_tls};
    util::Sandbox sandbox;
    sandbox.read(process.config_directory()).read("/etc/hosts").network_from();
    for (std::string& directory : net::dns::jail_directories(dns))
        sandbox.read(std::move(directory));
    if (!configs.tls.ca_path->empty())
        sandbox.read(*configs.tls.ca_path);
    TRY(process.drop_privileges(std::move(sandbox)));
    while (auto client = TRY(process.next_client())) {
        if (client->is_wakeup())
            continue;
        ipc::Connection connection(std::move(client->fd));
        TRY(connection.set_timeout(*common.ipc_timeout));
        auto ended = Agent(std::move(connection), services, [&] {
                          process.renew_time();
                          tls->flush(false);
                      }).run(&server::Process::stop_requested);
        services.kept.drop();
        tls->flush(false);
        if (!ended.ok())
            util::log::warning("qmgr: ", ended.error().text);
    }
    tls->flush(true);
    return 0;
}

util::Result<int> run(server::Arguments arguments, std::string_view program, Protocol protocol)
{
    CheckedConfig config(protocol);
    trust::TlsConfig tls(protocol == Protocol::Lmtp);
    net::dns::Config dns;
    routing::CheckedConfig routes;
    auto process = TRY(server::Process::start(program, std::move(arguments), {&config, &tls, &dns, &routes}));
    TRY(process.permit({"qmgr"}));
    return serve(process, {config, tls, dns, routes});
}

util::Result<int> smtp_main(server::Arguments arguments) { return run(std::move(arguments), "smtp", Protocol::Smtp); }
util::Result<int> lmtp_main(server::Arguments arguments) { return run(std::move(arguments), "lmtp", Protocol::Lmtp); }

}  // namespace

}  // namespace smtp

// The name of the program says which protocol it speaks, and so which parameters it has.
int main(int argc, char** argv)
{
    std::string_view path = argc > 0 ? argv[0] : "";
    bool lmtp = path.substr(path.rfind('/') + 1) == "lmtp";
    return lmtp ? server::run("lmtp", argc, argv, smtp::lmtp_main) : server::run("smtp", argc, argv, smtp::smtp_main);
}
