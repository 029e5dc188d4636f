// The plan: reading and checking it.
#include "master/plan.h"

#include "libipc/child.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

namespace master {

namespace {

constexpr std::size_t max_socket_path = sizeof(sockaddr_un{}.sun_path) - 1;

void check_owners(const Plan& plan, conf::Problems& problems)
{
    std::vector<std::string_view> seen;
    for (const server::Program& program : server::programs) {
        if (program.owner.empty())
            continue;
        auto identity = server::identity_of(plan.common, program.name, false);
        if (!identity)
            problems.add(plan.config_directory + "/main.cf", 0, identity.error().text);
        else if (identity->uid == 0)
            problems.add(plan.config_directory + "/main.cf", 0, util::concat(program.owner, ": must not be root"));
    }
    if (auto group = server::resolve_group(*plan.common.setgid_group); !group)
        problems.add(plan.config_directory + "/main.cf", 0, util::concat("setgid_group: ", group.error().text));
}

void check_entry(const Plan& plan, const ServicePlan& service, conf::Problems& problems)
{
    const conf::Service& entry = service.entry;
    auto wrong = [&](std::string text) {
        problems.add(entry.file, entry.first_line, util::concat(entry.id(), ": ", text));
    };
    if (::access(service.path.c_str(), X_OK) != 0)
        wrong(util::system_error(service.path, errno).text);
    bool needs_root = service.program->owner.empty();
    if (needs_root && entry.unprivileged)
        wrong(util::concat(entry.command, " runs as root: its fourth column must be n"));
    if (!needs_root && !entry.unprivileged)
        wrong(util::concat(entry.command, " never runs as root: its fourth column must be y"));
    if (entry.command == "log" || entry.id() == "log/unix")
        wrong("the log daemon has no entry: master(8) always runs it");
    if (entry.type != conf::ServiceType::Inet) {
        std::string path = util::concat(*plan.common.queue_directory, "/", entry.socket_path());
        if (path.size() > max_socket_path)
            wrong(util::concat("the path of its socket is longer than ", max_socket_path, " bytes: ", path));
        if (entry.name == "master")
            wrong("the name is that of master's own socket");
    }
}

}  // namespace

std::string ServicePlan::type() const { return always ? "log" : std::string(conf::name_of(entry.type)); }

std::vector<std::string> ServicePlan::command_line(const std::string& config_directory, bool verbose, bool stress) const
{
    std::vector<std::string> line{std::string(program->name), "-n", entry.name, "-t", type(), "-c", config_directory};
    if (verbose)
        line.push_back("-v");
    if (stress)
        line.insert(line.end(), {"-o", "stress=yes"});
    line.insert(line.end(), entry.arguments.begin(), entry.arguments.end());
    return line;
}

std::string Plan::pid_file() const
{
    const std::string& directory = *common.process_id_directory;
    if (directory.starts_with('/'))
        return directory + "/master.pid";
    return util::concat(*common.queue_directory, "/", directory, "/master.pid");
}

std::unique_ptr<Plan> Plan::load(const std::string& config_directory, bool unprivileged, conf::Problems& problems)
{
    auto plan = std::make_unique<Plan>();
    plan->config_directory = config_directory;
    auto settings = conf::MainCf::load(config_directory, problems);
    settings.fill({&plan->common, &plan->config}, problems);
    auto entries = conf::MasterCf::load(config_directory, problems);

    ServicePlan log;
    log.entry.name = "log";
    log.entry.command = "log";
    log.always = true;
    log.program = server::find_program("log");
    log.path = *plan->common.daemon_directory + "/log";
    if (::access(log.path.c_str(), X_OK) != 0)
        problems.add(config_directory + "/main.cf", 0,
                     util::concat("daemon_directory: ", util::system_error(log.path, errno).text));
    plan->services.push_back(std::move(log));
    for (const conf::Service& entry : entries.services()) {
        ServicePlan service;
        service.entry = entry;
        service.program = server::find_program(entry.command);
        if (!service.program) {
            problems.add(entry.file, entry.first_line,
                         util::concat(entry.id(), ": ", util::printable(entry.command, 100), " is not one of Tern's daemons"));
            continue;
        }
        service.path = util::concat(*plan->common.daemon_directory, "/", entry.command);
        std::uint64_t limit = entry.process_limit.value_or(static_cast<std::uint32_t>(*plan->common.default_process_limit));
        if (limit > server::Scoreboard::slots)
            problems.warn(entry.file, entry.first_line,
                          util::concat(entry.id(), ": at most ", server::Scoreboard::slots, " processes"));
        service.limit = static_cast<unsigned>(limit == 0 ? server::Scoreboard::slots
                                                         : std::min<std::uint64_t>(limit, server::Scoreboard::slots));
        check_entry(*plan, service, problems);
        plan->services.push_back(std::move(service));
    }
    auto runs = [&](std::string_view command) {
        return std::ranges::any_of(plan->services,
                                   [&](const ServicePlan& service) { return service.entry.command == command; });
    };
    if ((runs("smtpd") || runs("auth")) && !runs("anvil"))
        problems.warn(config_directory + "/master.cf", 0, "there is no anvil/unix: what clients and accounts do has no limits");
    if (!unprivileged)
        check_owners(*plan, problems);
    auto complain = [&](std::string_view name, std::string_view text) {
        const conf::Setting* setting = settings.find(name);
        problems.add(setting ? setting->file : "", setting ? setting->line : 0, util::concat(name, ": ", text));
    };
    // Each by itself first, so that its own line is told.
    const CertificateSources sources{*plan->config.tls_chain_files, *plan->config.tls_server_sni_maps};
    if (auto chain = read_certificates({sources.chain_files, {}}); !chain)
        complain("tls_chain_files", chain.error().text);
    else if (auto all = read_certificates(sources))
        plan->certificates = all.take();
    else
        complain("tls_server_sni_maps", all.error().text);
    return plan;
}

}  // namespace master
