// Warnings about a configuration that works.
#include "tools/tern/doubts.h"

#include "libconf/accounts_file.h"
#include "libconf/common.h"
#include "libconf/logins_file.h"
#include "libconf/master_cf.h"
#include "libconf/quota.h"
#include "libconf/table.h"
#include "libconf/words.h"
#include "libipc/identity.h"
#include "librouting/router.h"
#include "libutil/text.h"
#include "tools/ternconf/sections.h"
#include "tools/ternconf/unused.h"

#include <algorithm>
#include <set>

namespace tern {

namespace {

// RFC 5321 §4.5.1: every server takes mail for postmaster.  Mail for root is what the machine's own
// programs write to, and root has no mailbox.
void check_names(routing::Router& router, const std::string& file, conf::Problems& problems)
{
    for (const char* name : {"postmaster", "root"}) {
        mail::Address address = router.complete({name, ""});
        auto found = router.find(address);
        if (found && !found->listed)
            problems.warn(file, 0,
                          util::concat("nobody gets mail for ", mail::to_text(address), " (", found->refusal.text,
                                       "): give it an alias in alias_maps or virtual_alias_maps"));
    }
}

// A table of a known type: what would be looked up, and not a host or a text with a colon in it.
bool is_table(std::string_view word)
{
    std::string_view type = util::split_first(word, ':').first;
    return type.size() < word.size() && std::ranges::find(conf::table_types(), type) != conf::table_types().end();
}

class TableCheck {
public:
    TableCheck(const conf::MainCf& settings, conf::Problems& problems) : settings_(settings), problems_(problems) {}

    void add(std::string_view name, std::string_view value, const std::string& file, int line)
    {
        if (name == "address_verify_map")
            return;  // verify(8) makes it, when there is something to keep
        auto text = settings_.expand(value);
        auto words = text ? conf::parse_words(*text) : std::vector<std::string>();
        if (!words)
            return;  // the programs say so
        for (const std::string& word : *words) {
            if (!is_table(word) || !seen_.insert(word).second)
                continue;
            auto table = conf::open_table(word);
            auto good = table ? (*table)->check() : util::Result<void>(table.take_error());
            if (!good)
                problems_.warn(file, line, util::concat(name, ": mail waits until this is mended: ", good.error().text));
        }
    }

private:
    const conf::MainCf& settings_;
    conf::Problems& problems_;
    std::set<std::string> seen_;
};

// Every table that a value names, whichever program opens it: those of parameters, of restriction classes, and
// of the administrator's own names.
void check_tables(const ternconf::AllSections& sections, const conf::MainCf& settings, const conf::MasterCf& master,
                  conf::Problems& problems)
{
    TableCheck check(settings, problems);
    for (const auto& [name, setting] : settings.settings())
        check.add(name, setting.value, setting.file, setting.line);
    for (const conf::Service& service : master.services())
        for (const auto& [name, value] : service.overrides)
            check.add(name, value, service.file, service.first_line);
    for (const conf::Parameter* parameter : sections.parameters())
        if (!settings.find(parameter->name()))
            check.add(parameter->name(), parameter->default_text(), settings.directory() + "/main.cf", 0);
}

// A proxy: table without the service that looks into it.
void check_services(const conf::MainCf& settings, const conf::MasterCf& master, conf::Problems& problems)
{
    bool served = std::ranges::any_of(master.services(), [](const conf::Service& service) { return service.name == "tables"; });
    for (const auto& [name, setting] : settings.settings()) {
        if (!served && name != "proxy_read_maps" && setting.value.find("proxy:") != std::string::npos)
            problems.warn(setting.file, setting.line,
                          util::concat(name, ": master.cf has no service tables, which looks into proxy: tables"));
    }
}

// Of users of the system: is PAM asked, and are they still who they were?
void check_system_user(const conf::Account& account, const std::string& file, conf::Problems& problems)
{
    std::string user(account.system_user());
    auto identity = server::resolve_owner(user);
    if (!identity.ok() && identity.error().kind == util::Kind::NotFound)
        problems.warn(file, 0, util::concat(account.address, " cannot log in: the system has no user ", user));
    else if (identity.ok() && identity->uid != account.uid)
        problems.warn(file, 0,
                      util::concat(account.address, " cannot log in: ", user, " has uid ", identity->uid,
                                   " by now, and the account ", account.uid));
}

void check_accounts(const conf::MainCf& settings, const conf::MasterCf& master, conf::Problems& problems)
{
    std::string file = settings.directory() + "/accounts";
    auto accounts = conf::read_accounts(file);
    if (!accounts.ok())
        return;  // its table says so
    bool has_pam =
        std::ranges::any_of(master.services(), [](const conf::Service& service) { return service.name == "auth-pam"; });
    std::set<std::string_view> names;
    std::size_t system_users = 0;
    for (const conf::Account& account : *accounts) {
        if (!account.is_alias())
            names.insert(account.address);
        if (account.system_user().empty())
            continue;
        ++system_users;
        check_system_user(account, file, problems);
    }
    if (system_users > 0 && !has_pam)
        problems.warn(file, 0,
                      util::concat(system_users,
                                   " accounts are those of users of the system, who cannot log in: master.cf has no "
                                   "service auth-pam"));
    for (const conf::Account& alias : *accounts)
        if (alias.is_alias() && !names.contains(alias.target))
            problems.warn(file, 0, util::concat(alias.address, " is an alias of ", alias.target, ", which is no account"));
    auto quotas = conf::read_domain_quotas(settings.directory() + "/quotas");
    if (!quotas.ok() && quotas.error().kind == util::Kind::Invalid)
        problems.warn(settings.directory() + "/quotas", 0,
                      util::concat("no mailbox is opened until this is mended: ", quotas.error().text));
    // Root, and the owner of auth(8), may look.
    auto logins = conf::read_logins(settings.directory() + "/logins");
    if (!logins.ok() && logins.error().kind == util::Kind::Invalid)
        problems.warn(settings.directory() + "/logins", 0,
                      util::concat("nobody logs in until this is mended: ", logins.error().text));
}

void check_routes(conf::MainCf& settings, conf::Problems& problems)
{
    conf::Problems told_by_the_programs;
    conf::Common common;
    routing::Config config;
    settings.fill({&common, &config}, told_by_the_programs);
    if (told_by_the_programs.any())
        return;
    std::string file = settings.directory() + "/main.cf";
    auto router = routing::Router::open(common, config, routing::Aliases::Direct);
    if (!router) {
        problems.warn(file, 0, router.error().text);
        return;
    }
    if ((*router)->check())
        check_names(**router, file, problems);
}

}  // namespace

std::string doubts_about(const std::string& config_directory)
{
    conf::Problems ignored, doubts;
    auto settings = conf::MainCf::load(config_directory, ignored);
    auto master = conf::MasterCf::load(config_directory, ignored);
    {
        ternconf::AllSections sections;
        find_unused(sections, settings, master, doubts);
        check_tables(sections, settings, master, doubts);
        check_services(settings, master, doubts);
        check_accounts(settings, master, doubts);
    }
    check_routes(settings, doubts);
    return doubts.to_text();
}

}  // namespace tern
