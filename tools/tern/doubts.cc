// Warnings about a configuration that works.
#include "tools/tern/doubts.h"

#include "libconf/common.h"
#include "libconf/master_cf.h"
#include "librouting/router.h"
#include "libutil/text.h"
#include "tools/ternconf/sections.h"
#include "tools/ternconf/unused.h"

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
            problems.warn(file, 0, util::concat("nobody gets mail for ", mail::to_text(address), " (",
                                                found->refusal.text, "): give it an alias in virtual_alias_maps"));
    }
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
    auto router = routing::Router::open(common, config);
    if (!router) {
        problems.warn(file, 0, router.error().text);
        return;
    }
    auto good = (*router)->check();
    if (!good)
        problems.warn(file, 0, util::concat("mail waits until this is mended: ", good.error().text));
    else
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
    }
    check_routes(settings, doubts);
    return doubts.to_text();
}

}  // namespace tern
