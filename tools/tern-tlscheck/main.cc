// tern-tlscheck(1): which protection mail to a destination has, from here, and why.
#include "libipc/identity.h"
#include "libnet/connect.h"
#include "libnet/dns_config.h"
#include "libnet/dns_reply_filter.h"
#include "librouting/checked_config.h"
#include "librouting/router.h"
#include "libtrust/dns_answers.h"
#include "libtrust/sts_client.h"
#include "libtrust/tls_files.h"
#include "libutil/log.h"
#include "libutil/standard_fds.h"
#include "smtp/site/connect_from.h"
#include "smtp/site/site_lookup.h"
#include "sts/config.h"
#include "tools/tern-tlscheck/check.h"

#include <csignal>
#include <cstdio>
#include <getopt.h>
#include <sysexits.h>
#include <unistd.h>

namespace tlscheck {

namespace {

constexpr std::string_view usage =
    "usage: tern-tlscheck [-n] [-c config_directory] [-o name=value] [-t seconds]\n"
    "                     domain[:port or service] | [host][:port]\n";

struct Options {
    std::string config_directory{conf::built_in_config_directory};
    std::vector<std::string> overrides;
    util::Duration timeout = std::chrono::seconds(30);
    bool connects = true;
    std::string destination;
};

int complain(int status, std::string_view text)
{
    std::fprintf(stderr, "tern-tlscheck: %.*s\n", static_cast<int>(text.size()), text.data());
    return status;
}

util::Result<Options> parse(int count, char** words)
{
    Options options;
    int letter;
    opterr = 0;
    while ((letter = ::getopt(count, words, "c:o:t:n")) != -1) {
        if (letter == 'c') {
            options.config_directory = optarg;
        } else if (letter == 'o') {
            options.overrides.emplace_back(optarg);
        } else if (letter == 'n') {
            options.connects = false;
        } else if (letter == 't') {
            auto seconds = util::parse_unsigned(optarg, 3600);
            if (!seconds.ok() || *seconds == 0)
                return util::invalid("-t wants seconds, at most 3600");
            options.timeout = std::chrono::seconds(*seconds);
        } else {
            return util::invalid("");
        }
    }
    if (optind + 1 != count)
        return util::invalid("");
    options.destination = words[optind];
    return options;
}

struct Settings {
    conf::Common common;
    net::dns::Config dns;
    trust::TlsConfig tls;
    smtp::SiteConfig site{smtp::Protocol::Smtp};
    sts::Config sts;
    routing::CheckedConfig routes;
};

util::Result<void> load(const Options& options, Settings& settings)
{
    conf::Problems problems;
    auto main_cf = conf::MainCf::load(options.config_directory, problems);
    for (const std::string& assignment : options.overrides)
        main_cf.override_with(assignment, problems);
    main_cf.fill({&settings.common, &settings.dns, &settings.tls, &settings.site, &settings.sts, &settings.routes}, problems);
    return problems.result();
}

util::Result<util::UniqueFd> connect_raw(const net::Endpoint& server, util::Duration timeout)
{
    net::ConnectOptions how;
    how.timeout = timeout;
    return net::connect_to(server, how);
}

util::Result<int> run(const Options& options)
{
    Settings settings;
    TRY(load(options, settings));
    auto destinations = TRY(smtp::destinations_of(options.destination, settings.site));
    auto router = TRY(routing::Router::open(settings.common, settings.routes));
    auto policy = TRY(trust::TlsPolicy::open(settings.tls));
    auto trusted = TRY(trust::read_tls_files(settings.tls));
    auto tls = TRY(net::TlsContext::client(trusted));
    net::TlsClientSettings trusted_webs;
    trusted_webs.authorities = TRY(trust::read_authorities(settings.sts.ca_file));
    auto web_tls = TRY(net::TlsContext::client(trusted_webs));
    auto resolver = TRY(net::dns::Resolver::open(settings.dns.settings()));
    const auto& filter = settings.site.dns_reply_filter;
    resolver.set_filter(TRY(net::dns::ReplyFilter::open(*filter, filter.name())));
    auto sts_resolver = TRY(net::dns::Resolver::open(settings.dns.settings()));   // as sts(8) has it: without filter
    smtp::SiteLookup lookup(settings.site, smtp::families_of(settings.common), resolver);

    // Without random order, so that two calls say the same.
    World world{.lookup = lookup,
                .hosts = {.config = settings.site,
                          .own = router->reached_at(),
                          .loop_port = TRY(smtp::parse_port(*settings.site.tcp_port)),
                          .path_name = *settings.common.myhostname,
                          .address_limit = max_addresses + 1}};
    world.tlsa = [&](const std::string& host, std::uint16_t port) { return trust::tlsa_answer(resolver.tlsa(host, port)); };
    world.connect = [&](const smtp::Host& server) -> util::Result<net::Stream> {
        net::Stream stream(TRY(smtp::connect_from(server, settings.site, {.timeout = options.timeout})));
        stream.set_timeout(options.timeout);
        return stream;
    };
    world.say = [](std::string_view line) {
        std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
        std::fflush(stdout);
    };
    world.sts.txt = [&](std::string_view name) { return sts_resolver.txt(name); };
    world.sts.addresses = [&](std::string_view host) { return sts_resolver.addresses(host); };
    world.sts.connect = connect_raw;
    world.sts.tls = &web_tls;
    world.sts.timeout = options.timeout;
    world.sts.port = std::uint16_t(*settings.sts.https_port);
    trust::StsClient client(server::private_socket(settings.common, "sts"), options.timeout);
    // Only root may enter the directory of its socket.
    if (::access(server::private_socket(settings.common, "sts").c_str(), W_OK) == 0)
        world.kept = [&](const std::string& domain) { return client.ask(domain); };
    world.tls = &tls;
    world.our_name = *settings.common.myhostname;
    world.connects = options.connects;
    return check(destinations, policy, world) == Verdict::Good || !options.connects ? EX_OK : EXIT_FAILURE;
}

}  // namespace

}  // namespace tlscheck

int main(int count, char** words)
{
    util::open_standard_fds();
    ::signal(SIGPIPE, SIG_IGN);
    util::log::to_stderr("tern-tlscheck");
    auto options = tlscheck::parse(count, words);
    if (!options.ok()) {
        if (!options.error().text.empty())
            (void)tlscheck::complain(EX_USAGE, options.error().text);
        std::fwrite(tlscheck::usage.data(), 1, tlscheck::usage.size(), stderr);
        return EX_USAGE;
    }
    auto status = tlscheck::run(*options);
    if (!status.ok())
        return tlscheck::complain(status.error().kind == util::Kind::Invalid ? EX_CONFIG : EX_TEMPFAIL, status.error().text);
    return *status;
}
