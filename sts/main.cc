// sts(8): the policies that domains publish by MTA-STS (RFC 8461), fetched and kept.
//
// A worker: a process serves one client at a time, since a fetch may take long.  Neither the program that
// delivers mail nor one that could read it talks to web servers.
#include "libipc/connection.h"
#include "libipc/server.h"
#include "libnet/connect.h"
#include "libnet/dns_config.h"
#include "libtrust/tls_files.h"
#include "libtrust/tls_results.h"
#include "libutil/log.h"
#include "sts/config.h"
#include "sts/discovery.h"
#include "sts/result_store.h"

namespace sts {

namespace {

std::int64_t seconds_of(util::Duration duration)
{
    return std::chrono::floor<std::chrono::seconds>(duration).count();
}

// What is kept for reports, of domains that want some.
class Results {
public:
    Results(const trust::StsWorld& world, std::string directory) : world_(world), store_(std::move(directory)) {}

    void add(const ipc::TlsResult& result) const
    {
        if (!trust::may_have_sts(result.policy_domain))
            return;
        auto records = world_.txt("_smtp._tls." + result.policy_domain);
        if (!trust::wants_tls_reports(records.records))
            return;
        auto kept = store_.add(result, util::unix_seconds(util::wall_now()));
        if (!kept.ok())
            util::log::warning("a result of TLS with ", result.policy_domain, " is not kept: ", kept.error().text);
    }
    void add_failed_fetch(const std::string& domain, const trust::StsFetched& failed) const
    {
        ipc::TlsResult result;
        result.policy_type = "sts";
        result.policy_domain = domain;
        result.result_type = trust::name_of(failed.failure);
        result.text = util::printable(failed.text, 200);
        add(result);
    }
    void forget() const
    {
        auto forgotten = store_.forget(util::unix_seconds(util::wall_now()));
        if (!forgotten.ok())
            util::log::warning("old results of TLS: ", forgotten.error().text);
    }

private:
    const trust::StsWorld& world_;
    ResultStore store_;
};

util::Result<void> serve(server::Client client, Discovery& discovery, const Results& results)
{
    ipc::Connection connection(std::move(client.fd));
    TRY(connection.set_timeout(std::chrono::seconds(10)));
    constexpr auto idle_time = std::chrono::seconds(1);  // others wait for this process
    for (;;) {
        if (!server::Process::wait_for(connection.fd(), idle_time))
            return {};
        auto packet = TRY(ipc::receive_packet(connection.fd()));
        if (!packet)
            return {};
        if (packet->name() == ipc::TlsResults::message_name) {
            auto sent = TRY(ipc::decode<ipc::TlsResults>(*packet));
            for (const ipc::TlsResult& result : sent.results)
                results.add(result);
            continue;
        }
        auto question = TRY(ipc::decode<ipc::StsQuestion>(*packet));
        TRY(connection.send(discovery.answer(question.domain)));
    }
}

util::Result<int> daemon_main(server::Arguments arguments)
{
    Config config;
    net::dns::Config dns_config;
    auto process = TRY(server::Process::start("sts", std::move(arguments), {&config, &dns_config}));
    TRY(process.permit({"smtp"}));

    net::TlsClientSettings trusted;
    trusted.authorities = TRY(trust::read_authorities(config.ca_file));
    // A system without a list of authorities has no policies, and nothing else fails for that.
    if (trusted.authorities.empty() && !config.ca_file->empty())
        util::log::warning("no web server is trusted: ", *config.ca_file, " is not there");
    auto tls = TRY(net::TlsContext::client(trusted));
    net::dns::Settings dns = dns_config.settings();
    auto resolver = TRY(net::dns::Resolver::open(dns));
    std::string directory = *process.common().data_directory + "/sts";

    util::Sandbox sandbox;
    sandbox.read(process.config_directory()).write(directory).network();
    for (std::string& path : net::dns::jail_directories(dns))
        sandbox.read(std::move(path));
    TRY(process.drop_privileges(sandbox));

    trust::StsWorld world;
    world.txt = [&](std::string_view name) { return resolver.txt(name); };
    world.addresses = [&](std::string_view host) { return resolver.addresses(host); };
    world.connect = [](const net::Endpoint& server, util::Duration timeout) {
        net::ConnectOptions options;
        options.timeout = timeout;
        options.wants_stop = server::Process::stop_requested;
        return net::connect_to(server, options);
    };
    world.tls = &tls;
    world.port = std::uint16_t(*config.https_port);
    world.timeout = *config.timeout;
    world.wants_stop = server::Process::stop_requested;
    Results results(world, directory + "/results");
    PolicyStore store(directory, *config.cache_limit);
    Discovery discovery(store,
                        {.record = [&](const std::string& domain) { return trust::look_up_sts_record(world, domain); },
                         .fetch = [&](const std::string& domain) { return trust::fetch_sts_policy(world, domain); },
                         .clock = [] { return util::unix_seconds(util::wall_now()); },
                         .wants_stop = server::Process::stop_requested,
                         .failed = [&](const std::string& domain,
                                       const trust::StsFetched& failed) { results.add_failed_fetch(domain, failed); }},
                        {.failure = seconds_of(*config.failure_time), .refresh = seconds_of(*config.refresh_time)});

    while (auto client = TRY(process.next_client())) {
        if (client->is_wakeup()) {
            discovery.refresh();
            results.forget();
            continue;
        }
        uid_t uid = client->peer.uid;
        auto served = serve(std::move(*client), discovery, results);
        if (!served.ok())
            util::log::warning("a client of uid ", uid, ": ", served.error().text);
    }
    return 0;
}

}  // namespace

}  // namespace sts

int main(int argc, char** argv)
{
    return server::run("sts", argc, argv, sts::daemon_main);
}
